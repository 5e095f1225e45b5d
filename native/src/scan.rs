//! Bounds of a MessagePack byte string, checked before anything is built from it.

/// Why bytes are refused; the numbers are those of `kerege.kernel.scan.REASONS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// A declared length or number of values does not fit into what is left.
    Truncated = 1,
    /// Bytes follow the one value.
    Trailing = 2,
    /// Arrays are nested deeper than allowed.
    Depth = 3,
    /// There are more values than allowed.
    Items = 4,
    /// A kind of value that the ledger does not use: float, map, extension, the unassigned byte.
    Type = 5,
}

/// One value's head: bytes of body to skip, or the number of values that follow inside an array.
enum Head {
    Skip(usize),
    Array(usize),
}

/// Number of values (each array counts as one too) in exactly one MessagePack value.
pub fn scan(data: &[u8], max_depth: usize, max_items: usize) -> Result<usize, Malformed> {
    let mut open: Vec<usize> = Vec::with_capacity(max_depth.min(64));
    let mut at = 0;
    let mut items = 0;
    loop {
        items += 1;
        if items > max_items {
            return Err(Malformed::Items);
        }
        match head(data, &mut at)? {
            Head::Skip(length) if length > data.len() - at => return Err(Malformed::Truncated),
            Head::Skip(length) => at += length,
            Head::Array(_) if open.len() == max_depth => return Err(Malformed::Depth),
            Head::Array(count) if count > data.len() - at => return Err(Malformed::Truncated),
            Head::Array(count) => open.push(count),
        }
        while open.last() == Some(&0) {
            open.pop();
        }
        match open.last_mut() {
            Some(left) => *left -= 1,
            None if at == data.len() => return Ok(items),
            None => return Err(Malformed::Trailing),
        }
    }
}

fn head(data: &[u8], at: &mut usize) -> Result<Head, Malformed> {
    let mut number = |width: usize| {
        let bytes = data.get(*at..*at + width).ok_or(Malformed::Truncated)?;
        *at += width;
        Ok(bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)))
    };
    let first = number(1)? as u8;
    Ok(match first {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Head::Skip(0), // small integers, nil, false, true
        0x90..=0x9f => Head::Array(usize::from(first & 0x0f)),
        0xa0..=0xbf => Head::Skip(usize::from(first & 0x1f)),
        0xc4 | 0xd9 => Head::Skip(number(1)?),
        0xc5 | 0xda => Head::Skip(number(2)?),
        0xc6 | 0xdb => Head::Skip(number(4)?),
        0xcc..=0xcf => Head::Skip(1 << (first - 0xcc)),
        0xd0..=0xd3 => Head::Skip(1 << (first - 0xd0)),
        0xdc => Head::Array(number(2)?),
        0xdd => Head::Array(number(4)?),
        _ => return Err(Malformed::Type),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert_eq!(scan(b"\x92\x01\x90", 2, 3), Ok(3));
        assert_eq!(scan(b"\x92\x01\x90", 1, 3), Err(Malformed::Depth));
        assert_eq!(scan(b"\x92\x01\x90", 2, 2), Err(Malformed::Items));
        assert_eq!(scan(b"\xdd\xff\xff\xff\xff", 2, 9), Err(Malformed::Truncated));
        assert_eq!(scan(b"\x01\x01", 2, 9), Err(Malformed::Trailing));
        assert_eq!(scan(b"", 2, 9), Err(Malformed::Truncated));
        assert_eq!(scan(b"\xca\0\0\0\0", 2, 9), Err(Malformed::Type));
    }
}
