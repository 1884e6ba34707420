//! Python text: names, types, docstrings.

use leadledger_facade::Form;

/// The class that a Rust type is in Python: the views of the books have the names of what they show.
pub(crate) fn class(rust: &str) -> &str {
    rust.strip_suffix("View").unwrap_or(rust)
}

/// The form of a shape's field, which the facade's tests have shown to be there.
pub(crate) fn form(rust: &str) -> Form {
    Form::of(rust).unwrap_or(Form::Nothing)
}

/// The type of a value that the ledger gives.
pub(crate) fn given(form: &Form) -> String {
    match form {
        Form::Nothing => "None".to_owned(),
        Form::Text | Form::Path => "str".to_owned(),
        Form::Integer => "int".to_owned(),
        Form::Flag => "bool".to_owned(),
        Form::Decimal => "Decimal".to_owned(),
        Form::Id => "UUID".to_owned(),
        Form::Time => "datetime".to_owned(),
        Form::Day => "date".to_owned(),
        Form::Duration => "timedelta".to_owned(),
        Form::AsOf => "int | datetime".to_owned(),
        Form::Choice(name) | Form::Record(name) => class(name).to_owned(),
        Form::Event => "Event".to_owned(),
        Form::Optional(inner) => format!("{} | None", given(inner)),
        Form::List(inner) => format!("tuple[{}, ...]", given(inner)),
        Form::Table(key, value) => format!("dict[{}, {}]", given(key), given(value)),
    }
}

/// The type of a value that the ledger takes.
pub(crate) fn taken(form: &Form) -> String {
    match form {
        Form::Decimal => "Amount".to_owned(),
        Form::Id => "Id".to_owned(),
        Form::Path => "str | os.PathLike[str]".to_owned(),
        Form::Optional(inner) => format!("{} | None", taken(inner)),
        Form::List(inner) => format!("Sequence[{}]", taken(inner)),
        other => given(other),
    }
}

/// A doc comment as Python's docstrings say it: without links, `None` for none.
pub(crate) fn prose(about: &str) -> String {
    let mut text = about.split_whitespace().collect::<Vec<_>>().join(" ");
    // [`Ledger::deposit`](path) and [`Ledger::deposit`] are ``deposit``.
    while let Some(start) = text.find("[`") {
        let Some(length) = text.get(start..).and_then(|rest| rest.find("`]")) else { break };
        let name = text.get(start + 2..start + length).unwrap_or_default().to_owned();
        let mut end = start + length + 2;
        if text.get(end..).is_some_and(|rest| rest.starts_with('(')) {
            end += text.get(end..).and_then(|rest| rest.find(')')).map_or(0, |close| close + 1);
        }
        let name = name.rsplit("::").next().unwrap_or_default().to_owned();
        text.replace_range(start..end, &format!("`{}`", class(&name)));
    }
    text.replace("`Some(None)` (JSON `null`)", "`None`")
}

/// The widest line of a docstring.
const WIDTH: usize = 116;

/// Words broken into lines that begin with `indent`, the first with `first`.
pub(crate) fn wrapped(first: &str, indent: &str, words: &str) -> String {
    let mut lines = vec![first.to_owned()];
    let mut empty = true;
    for word in words.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if !empty && line + 1 + word.chars().count() > WIDTH {
            lines.push(indent.to_owned());
            empty = true;
        }
        if let Some(line) = lines.last_mut() {
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
        }
        empty = false;
    }
    lines.join("\n")
}

/// A docstring: what it is about, then sections of names and what they say.
pub(crate) fn docstring(indent: &str, about: &str, sections: &[(&str, Vec<(String, String)>)]) -> String {
    let about = prose(about);
    let (head, rest) = about.split_once(". ").map_or((about.as_str(), ""), |(head, rest)| (head, rest));
    let dot = if head.ends_with(['.', ':', '?']) { "" } else { "." };
    let mut text = wrapped(&format!("{indent}\"\"\""), indent, &format!("{head}{dot}"));
    let mut long = false;
    if !rest.is_empty() {
        text.push_str(&format!("\n\n{}", wrapped(indent, indent, rest)));
        long = true;
    }
    for (title, rows) in sections {
        if rows.is_empty() {
            continue;
        }
        long = true;
        text.push_str(&format!("\n\n{indent}{title}:"));
        for (name, says) in rows {
            let first = if name.is_empty() { format!("{indent}    ") } else { format!("{indent}    {name}: ") };
            text.push_str(&format!("\n{}", wrapped(&first, &format!("{indent}        "), says)));
        }
    }
    if long || text.contains('\n') { format!("{text}\n{indent}\"\"\"\n") } else { format!("{text}\"\"\"\n") }
}

/// The first lines of a generated module.
pub(crate) fn header(about: &str) -> String {
    format!(
        "\"\"\"{about}\n\nWritten by bindings/python/generate from the Rust code's own tables: do not edit.\n\"\"\"\n\n\
         from __future__ import annotations\n\n"
    )
}

/// `__all__`, one name a line, constants first.
pub(crate) fn all(names: &[String]) -> String {
    let mut names = names.to_vec();
    names.sort_by_key(|name| (name.chars().any(char::is_lowercase), name.clone()));
    let lines: String = names.iter().map(|name| format!("    \"{name}\",\n")).collect();
    format!("__all__ = [\n{lines}]\n")
}
