//! Old payloads in new clothes: what was stored once is read for ever.
//!
//! Must never change what is stored. An upcast happens on each read; the chain covers the original bytes.

use serde_json::Value;

/// Makes a payload of the next version out of one of the version before. The error says what is wrong with the payload.
pub type Upcast = fn(Value) -> Result<Value, String>;

/// Which old payloads can be read, and how.
#[derive(Debug, Clone, Default)]
pub struct Upcasters {
    steps: Vec<(&'static str, u32, Upcast)>,
}

impl Upcasters {
    /// Every old version that ever was written: none yet, all events are at version 1.
    pub fn current() -> Self {
        Self::default()
    }

    /// Adds the step from `from_version` of an event to the version after it.
    #[must_use]
    pub fn with(mut self, name: &'static str, from_version: u32, upcast: Upcast) -> Self {
        self.steps.push((name, from_version, upcast));
        self
    }

    /// Takes a payload as far as the steps lead; the version it has then. None where there is no step to take.
    pub(crate) fn raise(
        &self,
        name: &str,
        version: u32,
        data: &str,
    ) -> Option<Result<(u32, String), String>> {
        self.step(name, version)?;
        Some(self.climb(name, version, data))
    }

    fn climb(&self, name: &str, mut version: u32, data: &str) -> Result<(u32, String), String> {
        let mut value: Value = serde_json::from_str(data).map_err(|error| error.to_string())?;
        while let Some(upcast) = self.step(name, version) {
            value = upcast(value)?;
            version += 1;
        }
        Ok((version, value.to_string()))
    }

    fn step(&self, name: &str, version: u32) -> Option<Upcast> {
        let found = self.steps.iter().find(|(known, from, _)| *known == name && *from == version);
        found.map(|(_, _, upcast)| *upcast)
    }
}
