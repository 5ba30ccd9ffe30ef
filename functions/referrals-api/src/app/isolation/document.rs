//! What the OpenAPI document says about each operation, as the isolation tests need it. An operation that is new and says
//! something these tests do not know makes them fail until it is told here what to send.

use serde_json::{Value, json};

use super::super::tests::{IMPORTS, REFERRALS};
use crate::openapi::document::described;

/// What the id in a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Referral,
    Person,
    Import,
}

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: &'static str,
    pub template: String,
    /// Names of the parameters in query and headers.
    pub parameters: Vec<String>,
    pub has_body: bool,
    /// Names of the body's fields that end in `Id`.
    pub references: Vec<String>,
}

impl Operation {
    /// Every operation; `HEAD` too, which the router answers wherever it answers `GET`.
    pub fn all() -> Vec<Self> {
        let document = serde_json::to_value(described()).unwrap();
        let mut all = Vec::new();
        for (template, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let method = match method.as_str() {
                    "get" => "GET",
                    "post" => "POST",
                    "put" => "PUT",
                    "patch" => "PATCH",
                    "delete" => "DELETE",
                    // Parameters and descriptions may stand beside the methods.
                    other => panic!("{template}: what is {other}?"),
                };
                let own = Self::read(&document, method, template, operation);
                if method == "GET" {
                    all.push(Self { method: "HEAD", ..own.clone() });
                }
                all.push(own);
            }
        }
        all
    }

    fn read(document: &Value, method: &'static str, template: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let parameters = parameters.iter().filter(|parameter| parameter["in"] != "path");
        let mut fields = Vec::new();
        collect_fields(document, &operation["requestBody"], &mut fields);
        fields.retain(|field| field.ends_with("Id"));
        fields.sort();
        fields.dedup();
        Self {
            method,
            template: template.to_owned(),
            parameters: parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect(),
            has_body: operation["requestBody"].is_object(),
            references: fields,
        }
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    pub fn takes(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|own| own == parameter)
    }

    /// None where the path has no id.
    pub fn kind(&self) -> Option<Kind> {
        let (before, _) = self.template.split_once('{')?;
        match before {
            "/api/reputation/referrals/" => Some(Kind::Referral),
            "/api/people/" => Some(Kind::Person),
            "/api/reputation/imports/" => Some(Kind::Import),
            other => panic!("{other}: say here what the id of this path names"),
        }
    }

    /// Whether it answers with many rows.
    pub fn is_list(&self) -> bool {
        self.takes("cursor")
    }

    /// Whether these are an organization's rows, and not those of one import. The cursors of a report, and the names of uploads, which
    /// are no JSON, are tried in tests of their own.
    pub fn is_list_of_all(&self) -> bool {
        self.is_list() && self.kind().is_none()
    }

    pub fn is_upload(&self) -> bool {
        self.method == "POST" && self.template == IMPORTS
    }

    pub fn path(&self, id: &str) -> String {
        self.template.replace("{id}", id)
    }

    /// A body that would be taken.
    pub fn body(&self) -> Option<Value> {
        let body = match (self.method, self.template.as_str()) {
            ("POST", REFERRALS) => json!({"referrer": {"name": "Robin"}, "referredName": "Kim"}),
            ("PATCH", "/api/reputation/referrals/{id}") => json!({"notes": "called"}),
            ("PATCH", "/api/people/{id}") => json!({"name": "Robin Roe"}),
            ("PUT", "/api/people/{id}/consent") => json!({"channel": "EMAIL", "granted": false}),
            ("PUT", "/api/reputation/profile") => {
                json!({"slug": "robin-roe", "displayName": "Robin Roe", "brokerage": "Roe Homes", "published": true})
            }
            ("PUT", "/api/reputation/reward-policy") => json!({"rewardType": "gift_card", "rewardValue": 5000}),
            ("POST", "/api/reputation/referrals/{id}/lose") => json!({"lostReason": "no answer"}),
            ("POST", "/api/reputation/referrals/{id}/convert") => json!({"resultingDealId": "deal_of_ours"}),
            ("POST", "/api/reputation/referrals/{id}/reward/mark-sent") => json!({"complianceAcknowledged": true}),
            (
                "POST",
                "/api/reputation/referrals/{id}/reward/release"
                | "/api/reputation/referrals/{id}/reward/cancel"
                | "/api/reputation/referrals/{id}/reward/resend-thanks",
            ) => json!({"reason": "talked to the broker"}),
            (
                "POST",
                "/api/reputation/referrals/{id}/contact"
                | "/api/reputation/referrals/{id}/qualify"
                | "/api/reputation/referrals/{id}/reopen",
            ) => json!({}),
            _ => {
                assert!(!self.has_body, "{}: say here what body it takes", self.name());
                return None;
            }
        };
        Some(body)
    }

    /// A body in which `field` names somebody. None for ids that are not ours to know.
    pub fn body_that_names(&self, field: &str, id: &str) -> Option<Value> {
        match (self.method, self.template.as_str(), field) {
            ("POST", REFERRALS, "referrerPersonId") => Some(json!({"referrerPersonId": id, "referredName": "Kim"})),
            ("POST", REFERRALS, "agentUserId") => {
                Some(json!({"referrer": {"name": "Robin"}, "agentUserId": id, "referredName": "Kim"}))
            }
            ("PATCH", "/api/reputation/referrals/{id}", "referredPersonId") => Some(json!({"referredPersonId": id})),
            ("PATCH", "/api/people/{id}", "ownerUserId") => Some(json!({"ownerUserId": id})),
            // A wording is ours, and the same for all. A deal is a word of the organization's own system: another
            // organization's is free here.
            (_, _, "consentTextId" | "resultingDealId") => None,
            _ => panic!("{}: say here how {field} is sent", self.name()),
        }
    }
}

/// Names of all fields below `schema`, references followed.
fn collect_fields(document: &Value, schema: &Value, fields: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                let target = document.pointer(reference.trim_start_matches('#')).expect("a schema of the document");
                collect_fields(document, target, fields);
            }
            if let Some(Value::Object(properties)) = map.get("properties") {
                fields.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| collect_fields(document, value, fields));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_fields(document, value, fields)),
        _ => {}
    }
}
