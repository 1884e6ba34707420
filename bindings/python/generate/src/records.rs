//! Records, choices and events.

use leadledger::{EventBody, FieldShape, RecordShape, Refusal};
use leadledger_facade::{Form, choices, records};

use crate::text::{all, class, docstring, form, given, header, prose, taken};

/// Records that people make and the ledger takes: by keyword, and what may be left out is.
fn is_taken(name: &str) -> bool {
    name.starts_with("Opening") || ["Customer", "PolicyTerms", "Minimums"].contains(&name)
}

fn attributes(fields: &[FieldShape]) -> Vec<(String, String)> {
    let told = fields.iter().filter(|field| !field.about.trim().is_empty());
    told.map(|field| (field.name.to_owned(), prose(field.about))).collect()
}

fn record(shape: &RecordShape) -> String {
    let made = is_taken(shape.name);
    let options = if made { "frozen=True, slots=True, kw_only=True" } else { "frozen=True, slots=True" };
    let mut text = format!("\n\n@dataclass({options})\nclass {}(Record):\n", class(shape.name));
    text.push_str(&docstring("    ", shape.about, &[("Attributes", attributes(shape.fields))]));
    text.push('\n');
    for field in shape.fields {
        let form = form(field.form);
        let (kind, default) = match (&form, made) {
            (Form::Optional(_), true) => (taken(&form), " = None"),
            (Form::Flag, true) => (taken(&form), " = False"),
            (Form::Record("PolicyTerms"), true) => ("PolicyTerms | None".to_owned(), " = None"),
            (_, true) => (taken(&form), ""),
            (_, false) => (given(&form), ""),
        };
        text.push_str(&format!("    {}: {kind}{default}\n", field.name));
    }
    text
}

pub(crate) fn records_module() -> String {
    let mut text = header("What the ledger gives and takes: records, and the names of choices.");
    text.push_str(
        "from dataclasses import dataclass\nfrom datetime import date, datetime\n\
         from decimal import Decimal\nfrom typing import Literal\nfrom uuid import UUID\n\n\
         from ._base import Amount, Id, Record\nfrom .events import Event\n\n",
    );
    let (choices, records) = (choices(), records());
    let named = choices.iter().map(|choice| choice.name.to_owned());
    let names: Vec<_> = named.chain(records.iter().map(|shape| class(shape.name).to_owned())).collect();
    text.push_str(&all(&names));
    for choice in &choices {
        let quoted: Vec<_> = choice.names.iter().map(|name| format!("\"{name}\"")).collect();
        let line = format!("{} = Literal[{}]\n", choice.name, quoted.join(", "));
        if line.len() > 121 {
            let lines: String = quoted.iter().map(|name| format!("    {name},\n")).collect();
            text.push_str(&format!("\n{} = Literal[\n{lines}]\n", choice.name));
        } else {
            text.push_str(&format!("\n{line}"));
        }
    }
    records.iter().for_each(|shape| text.push_str(&record(shape)));
    let rows: String =
        records.iter().map(|shape| format!("    \"{}\": {},\n", shape.name, class(shape.name))).collect();
    text.push_str(&format!("\n\nCLASSES: dict[str, type[Record]] = {{\n{rows}}}\n"));
    text
}

pub(crate) fn refusals_module() -> String {
    let mut text = header("Every code with which the rules refuse.");
    text.push_str("from collections.abc import Mapping\nfrom types import MappingProxyType\nfrom typing import Final, Literal\n\n");
    text.push_str(&all(&["REFUSALS".to_owned(), "RefusalCode".to_owned()]));
    let codes: String = Refusal::CODES.iter().map(|(code, _)| format!("    \"{code}\",\n")).collect();
    text.push_str(&format!("\nRefusalCode = Literal[\n{codes}]\n"));
    let rows: String = Refusal::CODES
        .iter()
        .map(|(code, about)| format!("        \"{code}\": \"{}\",\n", prose(about).replace('"', "\\\"")))
        .collect();
    text.push_str(&format!(
        "\nREFUSALS: Final[Mapping[RefusalCode, str]] = MappingProxyType(\n    {{\n{rows}    }}\n)\n\
         \"\"\"Each code of `Refused` that a command can have, and what it says.\"\"\"\n"
    ));
    text
}

pub(crate) fn events_module() -> String {
    let mut text = header(
        "What can happen in a merchant's book, one class each; `Event` is what all of them have.\n\n\
         Amounts are in the currency beside them. No event holds personal data or free text.",
    );
    text.push_str(
        "from dataclasses import dataclass\nfrom datetime import datetime\nfrom decimal import Decimal\n\
         from typing import TYPE_CHECKING, Any, ClassVar\nfrom uuid import UUID\n\nfrom ._base import Record\n\n",
    );
    let shapes = || EventBody::NAMES.iter().zip(EventBody::SHAPES);
    let mut used: Vec<&str> =
        shapes().flat_map(|(_, shape)| shape.fields).filter_map(|field| innermost(&form(field.form))).collect();
    used.sort_unstable();
    used.dedup();
    let lines: String = used.iter().map(|name| format!("        {name},\n")).collect();
    text.push_str(&format!("if TYPE_CHECKING:\n    from ._records import (\n{lines}    )\n\n"));
    let mut names: Vec<String> = shapes().map(|(_, shape)| shape.name.to_owned()).collect();
    names.push("Event".to_owned());
    text.push_str(&all(&names));
    text.push_str(
        "\n\n@dataclass(frozen=True, slots=True)\nclass Event(Record):\n    \
         \"\"\"Something that happened in a merchant's book.\n\n    Attributes:\n        \
         merchant: Whose book.\n        seq: The entry's number in that book.\n        \
         index: Its place among the events of that entry, from 0. With merchant and `seq` it names the event for ever.\n        \
         at: When it happened.\n        \
         kind: The kind of the entry: the command's name, or what time alone did.\n    \"\"\"\n\n    \
         type: ClassVar[str] = \"\"\n    \"\"\"The permanent name of what happened, such as `lead_created`.\"\"\"\n\n    \
         merchant: UUID\n    seq: int\n    index: int\n    at: datetime\n    kind: str\n\n    \
         def to_dict(self) -> dict[str, Any]:\n        \
         \"\"\"Its `type` and its fields; see `Record.to_dict`.\"\"\"\n        \
         return {\"type\": self.type, **Record.to_dict(self)}\n",
    );
    for (name, shape) in shapes() {
        text.push_str(&format!("\n\n@dataclass(frozen=True, slots=True)\nclass {}(Event):\n", shape.name));
        text.push_str(&docstring("    ", shape.about, &[("Attributes", attributes(shape.fields))]));
        text.push_str(&format!("\n    type: ClassVar[str] = \"{name}\"\n\n"));
        for field in shape.fields {
            text.push_str(&format!("    {}: {}\n", field.name, given(&form(field.form))));
        }
    }
    let rows: String = shapes().map(|(name, shape)| format!("    \"{name}\": {},\n", shape.name)).collect();
    text.push_str(&format!("\n\nCLASSES: dict[str, type[Event]] = {{\n{rows}}}\n"));
    text
}

fn innermost(form: &Form) -> Option<&'static str> {
    match form {
        Form::Choice(name) => Some(name),
        Form::Optional(inner) | Form::List(inner) => innermost(inner),
        _ => None,
    }
}
