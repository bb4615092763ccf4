//! What filled the places of a line, taken out in order by what makes an action of it.

use armring_wire::Amount;

use super::pattern::Values;
use super::slot::Value;

/// The values of a line. Each call takes the next one; `None` where it is of another kind, which is a mistake in the table.
pub(crate) struct Args {
    values: std::vec::IntoIter<Option<Value>>,
}

impl Args {
    pub(crate) fn new(values: Values) -> Self {
        Self { values: values.into_iter() }
    }

    fn next(&mut self) -> Option<Value> {
        self.values.next().flatten()
    }

    pub(crate) fn name(&mut self) -> Option<String> {
        match self.next()? {
            Value::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        match self.next()? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn amount(&mut self) -> Option<Amount> {
        match self.next()? {
            Value::Amount(amount) => Some(amount),
            _ => None,
        }
    }

    pub(crate) fn number(&mut self) -> Option<u32> {
        match self.next()? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn seconds(&mut self) -> Option<u64> {
        match self.next()? {
            Value::Duration(seconds) => Some(seconds),
            _ => None,
        }
    }

    pub(crate) fn balances(&mut self) -> Option<Vec<(String, i64)>> {
        match self.next()? {
            Value::Balances(balances) => Some(balances),
            _ => None,
        }
    }
}
