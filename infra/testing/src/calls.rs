//! Counts what the SDK sends, attempt by attempt, retries included, and adds up the capacity units that it costs.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
            FinalizerInterceptorContextRef,
        },
    },
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        query::{QueryInput, QueryOutput},
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
        update_item::{UpdateItemInput, UpdateItemOutput},
    },
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};
use aws_smithy_runtime_api::{box_error::BoxError, client::interceptors::dyn_dispatch_hint};

/// Names of the operations sent, in order, and the units that the engine says they cost.
#[derive(Debug, Clone, Default)]
pub struct CallCounter(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    operations: Vec<String>,
    units: f64,
}

impl CallCounter {
    /// The operations since the last look.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().operations)
    }

    /// The capacity units, reads and writes together, since the last look.
    #[must_use]
    pub fn take_units(&self) -> f64 {
        std::mem::take(&mut self.0.lock().unwrap().units)
    }
}

#[dyn_dispatch_hint]
impl Intercept for CallCounter {
    fn name(&self) -> &'static str {
        "CallCounter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let wanted = Some(ReturnConsumedCapacity::Total);
        let input = context.input_mut();
        if let Some(input) = input.downcast_mut::<TransactWriteItemsInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<GetItemInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<BatchGetItemInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<QueryInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<UpdateItemInput>() {
            input.return_consumed_capacity = wanted;
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or("unknown");
        let operation = target.rsplit('.').next().unwrap_or(target);
        self.0.lock().unwrap().operations.push(operation.to_owned());
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        let consumed: Vec<ConsumedCapacity> = if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
            output.consumed_capacity().to_vec()
        } else if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
            output.consumed_capacity().to_vec()
        } else {
            let one = output
                .downcast_ref::<GetItemOutput>()
                .and_then(GetItemOutput::consumed_capacity)
                .or_else(|| output.downcast_ref::<QueryOutput>().and_then(QueryOutput::consumed_capacity))
                .or_else(|| output.downcast_ref::<UpdateItemOutput>().and_then(UpdateItemOutput::consumed_capacity));
            one.cloned().into_iter().collect()
        };
        let units: f64 = consumed.iter().filter_map(ConsumedCapacity::capacity_units).sum();
        self.0.lock().unwrap().units += units;
        Ok(())
    }
}
