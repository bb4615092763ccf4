//! The day of `vectors/session.json` in the form that the measuring program reads: see `examples/firmware/budget/src/session.rs`.

use anyhow::{Context, Result};
use serde_json::Value;

/// The events of the day. The measuring program knows them by their place here.
const EVENTS: [&str; 10] =
    ["hold", "connected", "fragment", "code shown", "press", "disconnected", "put on", "recognised", "double press", "stored"];

/// Writes the day down in bytes.
pub(super) fn encoded(day: &Value) -> Result<Vec<u8>> {
    let mut out = unhex(text(day, "band_key")?)?;
    out.extend(unhex(text(day, "root")?)?);
    let chapters = list(day, "chapters")?;
    out.push(u8::try_from(chapters.len())?);
    for chapter in chapters {
        put(&mut out, text(chapter, "name")?.as_bytes())?;
        put(&mut out, &unhex(text(chapter, "draws")?)?)?;
        let mut happens = Vec::new();
        for event in list(chapter, "happens")? {
            let what = text(event, "what")?;
            let number = EVENTS.iter().position(|name| *name == what).with_context(|| format!("what is '{what}'?"))?;
            happens.push(u8::try_from(number)?);
            let at = event.get("at").and_then(Value::as_u64).context("no time")?;
            happens.extend(u32::try_from(at)?.to_le_bytes());
            put(&mut happens, &unhex(event.get("bytes").and_then(Value::as_str).unwrap_or_default())?)?;
        }
        put_many(&mut out, list(chapter, "happens")?.len(), &happens)?;
        let mut says = Vec::new();
        for fragment in list(chapter, "says")? {
            put(&mut says, &unhex(fragment.as_str().context("not a text")?)?)?;
        }
        put_many(&mut out, list(chapter, "says")?.len(), &says)?;
    }
    Ok(out)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    out.extend(u16::try_from(bytes.len())?.to_le_bytes());
    out.extend(bytes);
    Ok(())
}

fn put_many(out: &mut Vec<u8>, count: usize, bytes: &[u8]) -> Result<()> {
    out.extend(u16::try_from(count)?.to_le_bytes());
    put(out, bytes)
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("vectors/session.json: {key}"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value.get(key).and_then(Value::as_array).with_context(|| format!("vectors/session.json: {key}"))
}

/// The bytes that are written in hexadecimal.
pub(super) fn unhex(text: &str) -> Result<Vec<u8>> {
    let pair = |at: usize| Ok(u8::from_str_radix(text.get(at..at + 2).unwrap_or_default(), 16)?);
    (0..text.len()).step_by(2).map(pair).collect()
}
