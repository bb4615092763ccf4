//! Where the signed objects stand in a record that is not sealed.

/// The places of the objects in a record: a variant, then objects, each behind its length as a varint. `None` where it is something else.
pub(super) fn objects(record: &[u8]) -> Option<Vec<std::ops::Range<usize>>> {
    let (mut objects, mut at) = (Vec::new(), 1);
    while at < record.len() {
        let (len, bytes) = varint(record.get(at..)?)?;
        let (start, end) = (at + bytes, at + bytes + len);
        record.get(start..end)?;
        objects.push(start..end);
        at = end;
    }
    Some(objects)
}

/// A varint of one or two bytes, and how many it has.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes {
        [low, ..] if low < 0x80 => Some((usize::from(low), 1)),
        [low, high, ..] if high < 0x80 => Some((usize::from(low & 0x7F) | usize::from(high) << 7, 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_stand_behind_their_lengths() {
        let record = [&[0, 2, 7, 7, 0x80, 0x01][..], &[9; 128]].concat();
        assert_eq!(objects(&record), Some(vec![2..4, 6..134]));
        assert_eq!(objects(&[0, 2, 7]), None);
        assert_eq!(objects(&[3]), Some(vec![]));
    }
}
