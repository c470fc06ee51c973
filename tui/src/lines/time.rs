//! Wall-clock times.

use time::OffsetDateTime;

/// RFC 3339 in UTC with nine digits of fraction, from nanoseconds since 1970.
pub fn timestamp(wall: i64) -> String {
    let t = moment(wall);
    let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
    let (h, m, s, n) = (t.hour(), t.minute(), t.second(), t.nanosecond());
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{n:09}Z")
}

/// The time of day in UTC, to the millisecond.
pub fn clock(wall: i64) -> String {
    let t = moment(wall);
    format!("{:02}:{:02}:{:02}.{:03}", t.hour(), t.minute(), t.second(), t.millisecond())
}

fn moment(wall: i64) -> OffsetDateTime {
    // 64 bits of nanoseconds reach from 1677 to 2262, all of which the type holds.
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(wall)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_width_and_are_utc() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(timestamp(1_800_000_000_123_456_789), "2027-01-15T08:00:00.123456789Z");
        assert_eq!(clock(1_800_000_000_123_456_789), "08:00:00.123");
        timestamp(i64::MIN);
        timestamp(i64::MAX);
    }
}
