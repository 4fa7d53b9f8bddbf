//! The one way to declare a view: a record or a choice with its TypeScript form.

macro_rules! views {
    ($($(#[$doc:meta])* $kind:ident $name:ident $body:tt)*) => {
        $(
            views!(@one $(#[$doc])* $kind $name $body);
        )*
    };
    (@one $(#[$doc:meta])* record $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Deserialize, Serialize, TS)]
        #[ts(export, export_to = "bridge.ts")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    };
    (@one $(#[$doc:meta])* choice $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
        #[serde(rename_all = "snake_case")]
        #[ts(export, export_to = "bridge.ts")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }
    };
}
