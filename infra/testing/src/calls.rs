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
        batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput},
        delete_item::{DeleteItemInput, DeleteItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemInput, PutItemOutput},
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
        let input = context.input_mut();
        // Each operation has a type of its own.
        macro_rules! ask {
            ($($input:ty),+) => {
                $(if let Some(input) = input.downcast_mut::<$input>() {
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                })+
            };
        }
        ask!(
            BatchGetItemInput,
            BatchWriteItemInput,
            DeleteItemInput,
            GetItemInput,
            PutItemInput,
            QueryInput,
            TransactWriteItemsInput,
            UpdateItemInput
        );
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
        let mut units = 0.0;
        // One account of what was consumed, or one for each table.
        macro_rules! add {
            ($($output:ty),+) => {
                $(if let Some(output) = output.downcast_ref::<$output>() {
                    let consumed = output.consumed_capacity().into_iter();
                    units += consumed.filter_map(ConsumedCapacity::capacity_units).sum::<f64>();
                })+
            };
        }
        add!(
            BatchGetItemOutput,
            BatchWriteItemOutput,
            DeleteItemOutput,
            GetItemOutput,
            PutItemOutput,
            QueryOutput,
            TransactWriteItemsOutput,
            UpdateItemOutput
        );
        self.0.lock().unwrap().units += units;
        Ok(())
    }
}
