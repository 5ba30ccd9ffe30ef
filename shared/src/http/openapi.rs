//! What all operations of an OpenAPI document have in common, so that none has to repeat it.

use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, Required, Schema,
    content::ContentBuilder,
    path::{Operation, Parameter, PathItem},
    response::{Response, ResponseBuilder},
    schema::{AdditionalProperties, ObjectBuilder, SchemaType, Type},
};

/// Adds the answers that follow from an operation's shape, and what holds for all bodies of ours: forms take no unknown
/// fields, views have every field always.
#[must_use]
pub fn complete(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let needs_token = !components.security_schemes.is_empty();
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            operation.parameters.iter_mut().flatten().for_each(complete_parameter);
            complete_body(operation);
            complete_answers(operation, needs_token);
        }
    }
    for (name, schema) in &mut components.schemas {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        if name.ends_with("Form") || name.ends_with("Patch") {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        if name.ends_with("View") || name.ends_with("List") {
            object.required = object.properties.keys().cloned().collect();
        }
    }
    let message = ObjectBuilder::new()
        .description(Some("What the gateway itself says."))
        .property("message", ObjectBuilder::new().schema_type(Type::String))
        .required("message");
    components.schemas.insert("GatewayMessage".to_owned(), message.into());
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// A parameter is there or it is not; it is never null.
fn complete_parameter(parameter: &mut RefOr<Parameter>) {
    if let RefOr::T(parameter) = parameter
        && let Some(schema) = &mut parameter.schema
    {
        refuse_null(schema);
    }
}

fn refuse_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            if let SchemaType::Array(types) = &object.schema_type
                && let Some(only) = types.iter().find(|one| !matches!(one, Type::Null))
            {
                object.schema_type = SchemaType::Type(only.clone());
            }
        }
        RefOr::T(Schema::OneOf(choice)) => {
            if let Some(only) = choice.items.iter().find(|item| matches!(item, RefOr::Ref(_))) {
                *schema = only.clone();
            }
        }
        _ => {}
    }
}

/// A body that may be left out is left out; it is never null.
fn complete_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let mut is_optional = false;
    for content in body.content.values_mut() {
        if let RefOr::T(Content { schema: Some(schema), .. }) = content {
            is_optional |= matches!(schema, RefOr::T(Schema::OneOf(_)));
            refuse_null(schema);
        }
    }
    body.required = Some(if is_optional { Required::False } else { Required::True });
}

fn complete_answers(operation: &mut Operation, needs_token: bool) {
    let has = |name: &str| {
        operation.parameters.iter().flatten().any(|parameter| matches!(parameter, RefOr::T(own) if own.name == name))
    };
    let has_body = operation.request_body.is_some();
    let is_file = matches!(&operation.request_body, Some(RefOr::T(body)) if body.content.contains_key("text/csv"));
    let mut answers = vec![
        ("400", "The request cannot be read.", true),
        ("429", "Too many requests.", false),
        ("500", "Something went wrong on our side.", true),
        ("503", "Busy; `Retry-After` says when to come again.", true),
    ];
    if needs_token {
        answers.push(("401", "No valid access token.", false));
        answers.push(("403", "The token, the role or the account does not allow this.", true));
    }
    if has("id") {
        answers.push(("404", "There is nothing of this id that the caller may see.", true));
    }
    if has("If-Match") {
        answers.push(("409", "The rules do not allow it as things are.", true));
        answers.push(("412", "It has changed since the version that was named.", true));
    }
    if has_body {
        let too_large =
            if is_file { "The file is larger than 3,000,000 bytes." } else { "The body is larger than 32,768 bytes." };
        answers.push(("413", too_large, false));
        answers.push(("415", "Not a media type or an encoding that is read here.", true));
    }
    if has_body || has("Idempotency-Key") {
        answers.push((
            "422",
            "Fields are wrong (`errors` names each), or the request's name was used for another.",
            true,
        ));
    }
    if has("groupBy") {
        answers.push((
            "422",
            "The months are no range, or the report has more rows than an answer has room for.",
            true,
        ));
    }
    let responses = &mut operation.responses.responses;
    for (status, description, is_ours) in answers {
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(answer(description, is_ours)));
    }
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let description = match status.as_str() {
                "201" => "Created.",
                "202" => "Taken in; it is worked through later.",
                "204" => "Deleted.",
                _ => "Done.",
            };
            description.clone_into(&mut response.description);
        }
    }
}

/// `is_ours`: never the gateway's, which answers in a shape of its own.
fn answer(description: &str, is_ours: bool) -> Response {
    let content =
        |schema: &str| -> Content { ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build() };
    let response =
        ResponseBuilder::new().description(description).content("application/problem+json", content("Problem"));
    if is_ours { response.build() } else { response.content("application/json", content("GatewayMessage")).build() }
}
