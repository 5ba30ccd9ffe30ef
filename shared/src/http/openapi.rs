//! What all operations of an OpenAPI document have in common, so that none has to repeat it.

use utoipa::openapi::{
    OpenApi, Ref, RefOr, Schema, content::ContentBuilder, path::Operation, response::ResponseBuilder,
    schema::AdditionalProperties,
};

/// Adds the answers that follow from an operation's shape, and that bodies take no unknown fields.
#[must_use]
pub fn complete(mut document: OpenApi) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten();
        operations.for_each(add_common_answers);
    }
    // Fields that nobody knows are refused by name.
    for (name, schema) in document.components.iter_mut().flat_map(|components| &mut components.schemas) {
        if let (true, RefOr::T(Schema::Object(object))) = (name.ends_with("Form") || name.ends_with("Patch"), schema) {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
    document
}

/// What every operation can answer, and what follows from its shape, so that no operation has to repeat it.
fn add_common_answers(operation: &mut Operation) {
    let has = |name: &str| {
        operation.parameters.iter().flatten().any(|parameter| matches!(parameter, RefOr::T(own) if own.name == name))
    };
    let has_body = operation.request_body.is_some();
    let mut answers = vec![
        ("400", "The request cannot be read."),
        ("401", "No valid access token. The gateway's own answer has no problem in it."),
        ("403", "The token, the role or the account does not allow this."),
        ("429", "The gateway throttles. Its answer has no problem in it."),
        ("500", "Something went wrong on our side."),
        ("503", "Busy; `Retry-After` says when to come again."),
    ];
    if has("id") {
        answers.push(("404", "There is nothing of this id that the caller may see."));
    }
    if has("If-Match") {
        answers.push(("409", "The rules do not allow it as things are."));
        answers.push(("412", "It has changed since the version that was named."));
    }
    if has_body {
        answers.push(("413", "The body is larger than 32,768 bytes."));
        answers.push(("415", "Not JSON."));
        answers.push(("422", "Fields are wrong; `errors` names each."));
    }
    for (status, description) in answers {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(description).content("application/problem+json", problem);
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response.build()));
    }
}
