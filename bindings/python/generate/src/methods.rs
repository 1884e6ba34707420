//! Methods of the two ledgers, and the functions that need none.

use leadledger::{Command, FieldShape};
use leadledger_facade::{FUNCTIONS, Form, OperationShape, READS};

use crate::text::{all, docstring, form, given, header, prose, taken};

/// What a method takes and gives.
struct Method<'a> {
    name: &'a str,
    about: &'a str,
    fields: &'a [FieldShape],
    gives: String,
    is_command: bool,
}

fn methods() -> Vec<Method<'static>> {
    let commands = Command::SHAPES.iter().map(|shape| Method {
        name: shape.name,
        about: shape.about,
        fields: shape.fields,
        gives: format!("Done[{}]", given(&form(shape.answer))),
        is_command: true,
    });
    commands.chain(READS.iter().map(operation)).collect()
}

fn operation(shape: &'static OperationShape) -> Method<'static> {
    let gives = given(&form(shape.gives));
    Method { name: shape.name, about: shape.about, fields: shape.fields, gives, is_command: false }
}

fn parameter(field: &FieldShape) -> String {
    let form = form(field.form);
    match (field.required, &form) {
        // Lists that are empty where nothing comes in.
        (true, Form::List(_)) => format!("{}: {} = ()", field.name, taken(&form)),
        // A reason that is left out is refused by the rules.
        (true, Form::Text) if field.form == "Paragraph" => format!("{}: str = \"\"", field.name),
        (true, _) => format!("{}: {}", field.name, taken(&form)),
        (false, Form::Optional(inner)) => format!("{}: {} | Unset | None = UNSET", field.name, taken(inner)),
        (false, _) => format!("{}: {} | None = None", field.name, taken(&form)),
    }
}

impl Method<'_> {
    fn parameters(&self, indent: &str, first: Option<&str>) -> String {
        let mut rows: Vec<String> = first.map(str::to_owned).into_iter().collect();
        rows.extend(self.fields.iter().filter(|field| field.required).map(parameter));
        let optional: Vec<_> = self.fields.iter().filter(|field| !field.required).map(parameter).collect();
        if !optional.is_empty() || self.is_command {
            rows.push("*".to_owned());
        }
        rows.extend(optional);
        if self.is_command {
            rows.push("key: str | None = None".to_owned());
        }
        if rows.len() == 1 {
            return rows.concat();
        }
        let rows: String = rows.iter().map(|row| format!("{indent}    {row},\n")).collect();
        format!("\n{rows}{indent}")
    }

    fn documented(&self, indent: &str) -> String {
        let mut arguments: Vec<_> =
            self.fields.iter().map(|field| (field.name.to_owned(), prose(field.about))).collect();
        let mut raises = Vec::new();
        let mut row = |name: &str, says: &str| raises.push((name.to_owned(), says.to_owned()));
        if self.is_command {
            arguments.push((
                "key".to_owned(),
                "Idempotency key: the same key and command give the same answer, once applied.".to_owned(),
            ));
            row("Refused", "The rules say no; nothing changed. Its `code` says why.");
        }
        row("InvalidInput", "A value that could never do. One of a wrong type is a `TypeError`.");
        docstring(indent, self.about, &[("Args", arguments), ("Raises", raises)])
    }

    fn given_tuple(&self) -> String {
        let names: Vec<_> = self.fields.iter().map(|field| field.name).collect();
        match names.as_slice() {
            [one] => format!("({one},)"),
            names => format!("({})", names.join(", ")),
        }
    }

    /// `receiver(name, arguments..)`, over several lines where one is too short.
    fn asked(&self, indent: &str, prefix: &str, receiver: &str, key: Option<&str>) -> String {
        let mut arguments = vec![format!("\"{}\"", self.name), self.given_tuple()];
        arguments.extend(key.map(str::to_owned));
        let line = format!("{indent}{prefix}{receiver}({})\n", arguments.join(", "));
        if line.chars().count() <= 121 {
            return line;
        }
        let whole = format!("{indent}    {}\n", arguments.join(", "));
        if whole.chars().count() <= 121 {
            return format!("{indent}{prefix}{receiver}(\n{whole}{indent})\n");
        }
        if arguments.iter().any(|row| indent.len() + 5 + row.len() > 120) {
            let names: String = self.fields.iter().map(|field| format!("{indent}        {},\n", field.name)).collect();
            arguments[1] = format!("(\n{names}{indent}    )");
        }
        let rows: String = arguments.iter().map(|row| format!("{indent}    {row},\n")).collect();
        format!("{indent}{prefix}{receiver}(\n{rows}{indent})\n")
    }
}

fn class(name: &str, about: &str, awaits: bool) -> String {
    let (define, wait) = if awaits { ("async def", "await ") } else { ("def", "") };
    let mut text = format!("\n\nclass {name}:\n    \"\"\"{about}\"\"\"\n\n    __slots__ = ()\n\n");
    let returns = if awaits { "Awaitable[Any]" } else { "Any" };
    text.push_str(&format!(
        "    def _ask(self, name: str, given: tuple[object, ...], key: str | None = None) -> {returns}:\n        \
         raise NotImplementedError\n"
    ));
    for method in methods() {
        let key = method.is_command.then_some("key");
        text.push_str(&format!(
            "\n    {define} {}({}) -> {}:\n{}",
            method.name,
            method.parameters("    ", Some("self")),
            method.gives,
            method.documented("        ")
        ));
        let prefix = format!("answer: {} = {wait}", method.gives);
        text.push_str(&method.asked("        ", &prefix, "self._ask", key));
        text.push_str("        return answer\n");
    }
    text
}

/// The names of records and choices that methods speak of, as an import.
fn imported(methods: &[Method<'_>]) -> String {
    let mut names = std::collections::BTreeSet::new();
    for method in methods {
        let forms = method.fields.iter().map(|field| taken(&form(field.form)));
        for kind in forms.chain([method.gives.clone()]) {
            let words = kind.split(|character: char| !character.is_ascii_alphanumeric());
            let known = words.filter(|word| word.starts_with(char::is_uppercase));
            names.extend(known.map(str::to_owned).filter(|word| {
                !["None", "Done", "Decimal", "UUID", "Amount", "Id", "Sequence", "Unset", "PathLike"]
                    .contains(&word.as_str())
            }));
        }
    }
    let rows: String = names.iter().map(|name| format!("    {name},\n")).collect();
    format!("from ._records import (\n{rows})\n")
}

/// The methods of the one ledger, or of the other.
pub(crate) fn operations_module(awaits: bool) -> String {
    let (name, how, types) = if awaits {
        ("AsyncOperations", "awaited", "Awaitable, Sequence")
    } else {
        ("Operations", "blocking", "Sequence")
    };
    let mut text = header(&format!("Every command, read and figure of the core, under its own name, {how}."));
    text.push_str(&format!("import os\nfrom collections.abc import {types}\n"));
    text.push_str(
        "from datetime import date, datetime\n\
         from typing import Any\nfrom uuid import UUID\n\n\
         from ._base import UNSET, Amount, Done, Id, Unset\n",
    );
    text.push_str(&imported(&methods()));
    text.push_str(&class(name, &format!("What a ledger does, {how}."), awaits));
    text
}

pub(crate) fn functions_module() -> String {
    let functions: Vec<_> = FUNCTIONS.iter().map(operation).collect();
    let mut text = header("What needs no ledger: previews, levels, estimates, proofs; and making a store ready.");
    text.push_str(
        "from datetime import timedelta\nfrom decimal import Decimal\n\nfrom . import _native\n\
         from ._base import Amount, Id\n",
    );
    text.push_str(&imported(&functions));
    text.push('\n');
    text.push_str(&all(&functions.iter().map(|function| function.name.to_owned()).collect::<Vec<_>>()));
    for function in &functions {
        text.push_str(&format!(
            "\n\ndef {}({}) -> {}:\n{}",
            function.name,
            function.parameters("", None),
            function.gives,
            function.documented("    ")
        ));
        let prefix = format!("answer: {} = ", function.gives);
        text.push_str(&function.asked("    ", &prefix, "_native.compute", None));
        text.push_str("    return answer\n");
    }
    text
}
