//! `do`: any command of the ledger, from JSON.

use std::io::Read;

use leadledger::{
    Basis, Command, CommandShape, Currency, Done, Fact, FieldShape, InvalidInput, Method, OnTimeout, ReferenceKind,
    Source,
};
use leadledger_facade::{Family, Fault, command};
use serde_json::{Value, json};

use crate::cli::{Do, Global};
use crate::commands::open;
use crate::errors::Failure;
use crate::output::{Column, Output, visible};

pub(crate) fn run(global: &Global, arguments: &Do, out: &mut Output) -> Result<(), Failure> {
    let name = arguments.command.as_deref();
    if arguments.list {
        return list(name, out);
    }
    let name = name.unwrap_or_default();
    // Before the store is looked at: what could never be a command is refused whatever the store.
    let parsed = command(name, &fields(arguments)?)?;
    let merchant = parsed.merchant();
    let call = open(global)?.submit(parsed);
    let done = match &arguments.key {
        Some(key) => call.key(key).wait(),
        None => call.wait(),
    }?;
    if out.json {
        return Ok(out.json(&json!({
            "command": name,
            "merchant": merchant,
            "seq": done.entry.seq,
            "at": done.entry.at,
            "replayed": done.replayed,
            "answer": done.fields(),
        }))?);
    }
    let before = if done.replayed { "was done before: " } else { "" };
    out.line(format_args!("{name}: {before}entry {}, {}", done.entry.seq, out.time(done.entry.at)))?;
    for (field, value) in answers(&done, out) {
        out.line(format_args!("  {field:<14} {}", visible(&value)))?;
    }
    Ok(())
}

/// The text of the command's fields, wherever it is.
fn fields(arguments: &Do) -> Result<String, Failure> {
    let inline = match (&arguments.with, &arguments.json) {
        (Some(_), Some(Some(_))) => {
            let what = "the fields are given twice, by --with and by --json";
            return Err(Failure::Usage(Fault::new(Family::InvalidInput, "usage", what)));
        }
        (Some(with), _) | (None, Some(Some(with))) => with,
        (None, _) => {
            let what = "the command's fields are missing: give --with '{..}', --with @FILE or --with -";
            return Err(Failure::Usage(Fault::new(Family::InvalidInput, "usage", what)));
        }
    };
    let unread = |what: String| Failure::from(InvalidInput::new("invalid_command", "fields", what));
    if inline == "-" {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| text).map_err(|fault| unread(format!("stdin: {fault}")));
    }
    match inline.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).map_err(|fault| unread(format!("{file}: {fault}"))),
        None => Ok(inline.clone()),
    }
}

/// The answer's fields for people.
fn answers(done: &Done<()>, out: &Output) -> Vec<(String, String)> {
    const AMOUNTS: [&str; 5] = ["commission", "partner_part", "platform_part", "paid_back", "written_off"];
    let currency = done.entry.facts.iter().find_map(currency_of);
    let shown = |(field, value): (String, Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let amount = currency.filter(|_| AMOUNTS.contains(&field.as_str())).zip(text.parse().ok());
        let at = Some(&text).filter(|_| field.ends_with("_at")).and_then(|text| text.parse().ok());
        let text = match (amount, at) {
            (Some((currency, amount)), _) => out.money(amount, currency),
            (None, Some(at)) => out.time(at),
            (None, None) => text,
        };
        (field, text)
    };
    done.fields().into_iter().map(shown).collect()
}

/// The currency of an answer's amounts.
fn currency_of(fact: &Fact) -> Option<Currency> {
    match fact {
        Fact::LeadCreated { currency, .. }
        | Fact::DepositClosed { currency, .. }
        | Fact::WrittenOff { currency, .. } => Some(*currency),
        _ => None,
    }
}

/// What all commands take, or one of them.
fn list(name: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let shapes: Vec<&CommandShape> = match name {
        None => Command::SHAPES.iter().collect(),
        Some(name) => Command::SHAPES.iter().filter(|shape| shape.name == name).collect(),
    };
    if shapes.is_empty() {
        // With the fault that sending it would give.
        return Err(command(name.unwrap_or_default(), "{}").err().map_or_else(no_shape, Failure::Fault));
    }
    if out.json {
        let commands: Vec<Value> = shapes.iter().map(|shape| json_of(shape)).collect();
        return Ok(out.json(&json!({ "commands": commands }))?);
    }
    for (number, shape) in shapes.iter().enumerate() {
        if number > 0 {
            out.line("")?;
        }
        out.line(format_args!("{}: {}", shape.name, shape.about.trim()))?;
        let row = |field: &FieldShape| {
            let name = if field.required { field.name.to_owned() } else { format!("[{}]", field.name) };
            vec![format!("  {name}"), form(field.form), field.about.trim().to_owned()]
        };
        let rows: Vec<Vec<String>> = shape.fields.iter().map(row).collect();
        out.table(&[Column::Text("  FIELD"), Column::Text("FORM"), Column::Text("WHAT")], &rows)?;
    }
    Ok(())
}

fn no_shape() -> Failure {
    Fault::new(Family::Internal, "internal", "the command has no shape").into()
}

fn json_of(shape: &CommandShape) -> Value {
    let field = |field: &FieldShape| {
        json!({
            "name": field.name,
            "form": form(field.form),
            "required": field.required,
            "about": field.about.trim(),
        })
    };
    json!({
        "command": shape.name,
        "about": shape.about.trim(),
        "fields": shape.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

/// The form of a field's value in JSON.
fn form(rust: &str) -> String {
    let one_of = |names: Vec<Value>| names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|");
    match rust {
        "Decimal" => "decimal in a string".to_owned(),
        "Currency" => "ISO 4217 code".to_owned(),
        "i64" => "integer".to_owned(),
        "Option<i64>" => "integer or null".to_owned(),
        "bool" => "true or false".to_owned(),
        "Line" | "Paragraph" | "Reference" => "text".to_owned(),
        "Vec<OpeningCampaign>" => "[{campaign, ..}]".to_owned(),
        "Vec<OpeningAgreement>" => "[{partner, share, ..}]".to_owned(),
        "Vec<OpeningDeposit>" => "[{deposit, balance, ..}]".to_owned(),
        "Vec<OpeningLead>" => {
            "[{lead, campaign, partner, deposit, value, commission, status, created_at, ..}]".to_owned()
        }
        "Vec<OpeningLine>" => "[{line, deposit, kind, amount, before, after, at, ..}]".to_owned(),
        "Customer" => "{name, email, phone, company, notes}".to_owned(),
        "Source" => one_of(Source::ALL.iter().map(|name| json!(name)).collect()),
        "Method" => one_of(Method::ALL.iter().map(|name| json!(name)).collect()),
        "OnTimeout" => one_of(OnTimeout::ALL.iter().map(|name| json!(name)).collect()),
        "Basis" => one_of(Basis::ALL.iter().map(|name| json!(name)).collect()),
        "ReferenceKind" => one_of(ReferenceKind::ALL.iter().map(|name| json!(name)).collect()),
        id if id.ends_with("Id") => "id (UUID)".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_form_that_says_how_it_looks_in_json() {
        for shape in Command::SHAPES {
            for field in shape.fields {
                assert_ne!(form(field.form), field.form, "{}.{}", shape.name, field.name);
            }
        }
        assert_eq!(form("OnTimeout"), "expire|accept");
    }
}
