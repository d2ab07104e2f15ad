//! Messages as gRPC frames them: a flag, a length, the bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

const HEADER_BYTES: usize = 5;

/// One message of a request.
pub(crate) fn encode(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEADER_BYTES + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// The messages of an answer, as their bytes come in.
#[derive(Debug, Default)]
pub(crate) struct Decoder(BytesMut);

/// The answer is not framed as gRPC frames it, or is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not an uncompressed gRPC message")]
pub(crate) struct Malformed;

impl Decoder {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Malformed> {
        let Some(mut header) = self.0.get(..HEADER_BYTES) else {
            return Ok(None);
        };
        if header.get_u8() != 0 {
            return Err(Malformed);
        }
        let length = usize::try_from(header.get_u32()).map_err(|_| Malformed)?;
        if self.0.len() - HEADER_BYTES < length {
            return Ok(None);
        }
        self.0.advance(HEADER_BYTES);
        Ok(Some(self.0.split_to(length).freeze()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_however_their_bytes_are_cut() {
        let sent = [encode(b"one"), encode(b""), encode(&[7; 300])].concat();
        for size in [1, 2, 5, 7, 1_000] {
            let (mut decoder, mut got) = (Decoder::default(), Vec::new());
            for piece in sent.chunks(size) {
                decoder.push(piece);
                while let Some(message) = decoder.next().unwrap() {
                    got.push(message);
                }
            }
            assert_eq!(got, [&b"one"[..], b"", &[7; 300]]);
        }
    }

    #[test]
    fn a_compressed_message_is_refused() {
        let mut decoder = Decoder::default();
        decoder.push(&[1, 0, 0, 0, 0]);
        assert_eq!(decoder.next(), Err(Malformed));
    }
}
