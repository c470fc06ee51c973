//! What a file looks like that is no recording.

/// How many bytes [`looks_like`] wants to see.
pub(crate) const SNIFF: usize = 512;

const SIGNATURES: [(&[u8], &str); 14] = [
    (b"\x1f\x8b", "gzip-compressed data; decompress it first"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data; decompress it first"),
    (b"\xfd7zXZ\0", "xz-compressed data; decompress it first"),
    (b"BZh", "bzip2-compressed data; decompress it first"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x7fELF", "a program or library (ELF)"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture (pcap)"),
    (b"\xa1\xb2\xc3\xd4", "a packet capture (pcap)"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture (pcapng)"),
    (b"LPKSHHRH", "a systemd journal"),
    (b"PERFILE2", "a perf recording"),
    (b"\x89PNG", "a PNG image"),
    (b"#!", "a script"),
    (b"SQLite format 3\0", "an SQLite database"),
];

/// In words, what these first bytes of a file look like.
pub(crate) fn looks_like(bytes: &[u8]) -> &'static str {
    if bytes.is_empty() {
        return "an empty file";
    }
    if let Some((_, what)) = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return what;
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return "a tar archive";
    }
    // The last character may be cut in two.
    let is_text = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none() && e.valid_up_to() > 0,
    } && !bytes.iter().any(|b| b.is_ascii_control() && !b.is_ascii_whitespace());
    match bytes.iter().find(|b| !b.is_ascii_whitespace()) {
        _ if !is_text => "unknown binary data",
        Some(b'{' | b'[') => "JSON, perhaps another tool's log",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::looks_like;

    #[test]
    fn common_files_are_named() {
        for (bytes, what) in [
            (b"".as_slice(), "an empty file"),
            (b"\x1f\x8b\x08", "gzip-compressed data; decompress it first"),
            (b"\x7fELF\x02", "a program or library (ELF)"),
            (b" {\"process_exec\":{}}", "JSON, perhaps another tool's log"),
            ("na\u{ef}ve\n".as_bytes(), "text"),
            (b"caf\xc3", "text"),
            (b"\xff\xfe\0", "unknown binary data"),
            (b"a\x1b[2J", "unknown binary data"),
        ] {
            assert_eq!(looks_like(bytes), what, "{bytes:?}");
        }
        let mut tar = [0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(looks_like(&tar), "a tar archive");
    }
}
