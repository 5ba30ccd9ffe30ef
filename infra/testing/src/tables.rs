//! Tables and rules as `template.yaml` describes them, so that tests and deployments cannot drift apart.

use std::sync::LazyLock;

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType,
    },
};
use saphyr::{LoadableYamlNode as _, Yaml};

/// Read once: every test has tables of its own.
static TEMPLATE: LazyLock<Vec<Yaml<'static>>> =
    LazyLock::new(|| Yaml::load_from_str(include_str!("../../../template.yaml")).expect("template.yaml is YAML"));

/// Creates the template's table `resource` under the name `table`.
pub async fn create(client: &Client, resource: &str, table: &str) {
    let properties = &TEMPLATE[0]["Resources"][resource]["Properties"];
    let attributes = list(properties, "AttributeDefinitions").map(|attribute| {
        AttributeDefinition::builder()
            .attribute_name(string(attribute, "AttributeName"))
            .attribute_type(ScalarAttributeType::from(string(attribute, "AttributeType")))
            .build()
            .unwrap()
    });
    let indexes: Vec<_> = properties
        .as_mapping_get("GlobalSecondaryIndexes")
        .map(|indexes| indexes.as_sequence().unwrap().iter().map(index).collect())
        .unwrap_or_default();
    client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.collect()))
        .set_key_schema(Some(key_schema(properties)))
        .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
        .send()
        .await
        .expect("the engine creates the table");
}

fn index(index: &Yaml<'_>) -> GlobalSecondaryIndex {
    let projection = ProjectionType::from(string(&index["Projection"], "ProjectionType"));
    GlobalSecondaryIndex::builder()
        .index_name(string(index, "IndexName"))
        .set_key_schema(Some(key_schema(index)))
        .projection(Projection::builder().projection_type(projection).build())
        .build()
        .unwrap()
}

fn key_schema(node: &Yaml<'_>) -> Vec<KeySchemaElement> {
    list(node, "KeySchema")
        .map(|key| {
            KeySchemaElement::builder()
                .attribute_name(string(key, "AttributeName"))
                .key_type(KeyType::from(string(key, "KeyType")))
                .build()
                .unwrap()
        })
        .collect()
}

/// What a rule of the stack's bus hands to a function's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub function: String,
    /// None takes events of any source.
    pub source: Option<String>,
    pub detail_types: Vec<String>,
}

/// The rules of the stack's own bus.
///
/// # Panics
/// When the template has another form than it has today.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let resources = TEMPLATE[0]["Resources"].as_mapping().expect("resources");
    let rules = resources.values().filter(|resource| string(resource, "Type") == "AWS::Events::Rule");
    let on_bus = rules.map(|rule| &rule["Properties"]).filter(|rule| rule.as_mapping_get("EventBusName").is_some());
    let texts = |node: &Yaml<'_>, name: &str| -> Vec<String> {
        list(node, name).map(|text| text.as_str().expect("a text").to_owned()).collect()
    };
    on_bus
        .map(|rule| {
            let pattern = &rule["EventPattern"];
            Rule {
                function: string(&rule["Targets"][0], "Id").to_owned(),
                source: pattern.as_mapping_get("source").map(|_| texts(pattern, "source").remove(0)),
                detail_types: texts(pattern, "detail-type"),
            }
        })
        .collect()
}

fn list<'a>(node: &'a Yaml<'_>, name: &str) -> impl Iterator<Item = &'a Yaml<'a>> {
    node[name].as_sequence().unwrap_or_else(|| panic!("template.yaml has no {name}")).iter()
}

fn string<'a>(node: &'a Yaml<'_>, name: &str) -> &'a str {
    node[name].as_str().unwrap_or_else(|| panic!("template.yaml has no {name}"))
}
