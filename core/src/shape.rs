//! What commands take and records hold, by name: for bindings, help texts and suggestions. Texts begin with a space, as
//! doc comments do.

/// What a command takes, and what it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandShape {
    /// The command's permanent name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its fields, the required ones first.
    pub fields: &'static [FieldShape],
    /// The Rust type of its answer.
    pub answer: &'static str,
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordShape {
    /// Its name: the Rust type's.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its fields, in order.
    pub fields: &'static [FieldShape],
}

/// A field of a command or of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldShape {
    /// Its name.
    pub name: &'static str,
    /// The Rust type of its value: `Decimal` is a string in JSON, as ids are.
    pub form: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it says.
    pub about: &'static str,
}

/// The text of a doc comment, whatever attribute follows it.
macro_rules! about {
    ($(#[doc = $text:literal])* $(#[serde($($rest:tt)*)])*) => { concat!($( $text ),*) };
}
pub(crate) use about;

/// Structs with a `SHAPE`: the doc comments that people read are those that bindings show.
///
/// ```
/// leadledger::shaped! {
///     /// A place.
///     #[derive(Clone)]
///     pub struct Place {
///         /// What it is called.
///         pub name: String,
///     }
/// }
/// assert_eq!((Place::SHAPE.name, Place::SHAPE.fields[0].form), ("Place", "String"));
/// ```
#[macro_export]
macro_rules! shaped {
    ($(
        $(#[doc = $about:literal])*
        #[derive($($derive:tt)*)]
        $(#[serde($($serde:tt)*)])*
        pub struct $name:ident {
            $(
                $(#[doc = $field_about:literal])*
                $(#[serde($($field_serde:tt)*)])*
                pub $field:ident: $form:ty,
            )*
        }
    )*) => {$(
        $(#[doc = $about])*
        #[derive($($derive)*)]
        $(#[serde($($serde)*)])*
        pub struct $name {
            $(
                $(#[doc = $field_about])*
                $(#[serde($($field_serde)*)])*
                pub $field: $form,
            )*
        }

        impl $name {
            /// What it holds, by name.
            pub const SHAPE: $crate::RecordShape = $crate::RecordShape {
                name: stringify!($name),
                about: concat!($( $about, "\n" ),*),
                fields: &[$( $crate::FieldShape {
                    name: stringify!($field),
                    form: stringify!($form),
                    required: true,
                    about: concat!($( $field_about, "\n" ),*),
                } ),*],
            };
        }
    )*};
}
