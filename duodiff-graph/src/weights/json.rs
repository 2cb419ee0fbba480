//! A strict reader of the little JSON that a safetensors header is made of: no nesting, no surprises, no allocation ahead.

/// A position in a text; each method takes one token and refuses anything else.
pub struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

/// Where the text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexpected {
    /// Offset in bytes.
    pub at: usize,
    /// What should be there.
    pub wanted: &'static str,
}

impl<'a> Json<'a> {
    /// At the start of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// An error here.
    pub fn unexpected<T>(&self, wanted: &'static str) -> Result<T, Unexpected> {
        Err(Unexpected { at: self.at, wanted })
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Takes `byte` if it comes next.
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `byte`.
    pub fn expect(&mut self, byte: u8, wanted: &'static str) -> Result<(), Unexpected> {
        if self.take(byte) { Ok(()) } else { self.unexpected(wanted) }
    }

    /// Takes the end of the text.
    pub fn end(&mut self) -> Result<(), Unexpected> {
        if self.peek().is_none() { Ok(()) } else { self.unexpected("the end of the header") }
    }

    /// Takes items up to `close`, separated by commas; the opening bracket is taken already.
    pub fn items<E: From<Unexpected>>(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Result<(), E>) -> Result<(), E> {
        if self.take(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.take(close) {
                return Ok(());
            }
            self.expect(b',', "a comma or a closing bracket")?;
        }
    }

    /// Takes a whole number without sign or leading zeros.
    pub fn number(&mut self) -> Result<u64, Unexpected> {
        let start = self.peek().map_or(self.text.len(), |_| self.at);
        let digits = self.text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = &self.text[start..start + digits];
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        match number {
            Some(number) if digits == 1 || text[0] != b'0' => {
                self.at += digits;
                Ok(number)
            }
            _ => self.unexpected("a whole number below 2^64"),
        }
    }

    /// Takes a string.
    pub fn string(&mut self) -> Result<String, Unexpected> {
        self.expect(b'"', "a string")?;
        let mut bytes = Vec::new();
        loop {
            match self.text.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(byte) if *byte >= 0x20 => {
                    bytes.push(*byte);
                    self.at += 1;
                }
                _ => return self.unexpected("a string without control characters"),
            }
        }
        self.at += 1;
        String::from_utf8(bytes).or_else(|_| self.unexpected("a string in UTF-8"))
    }

    /// Takes what follows a backslash.
    fn escape(&mut self) -> Result<char, Unexpected> {
        const WANTED: &str = "an escape of JSON";
        let byte = self.text.get(self.at).copied();
        self.at += 1;
        let character = match byte {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => {
                let first = self.hex()?;
                let surrogate = (0xD800..0xDC00).contains(&first);
                let code = if surrogate {
                    if !self.text[self.at..].starts_with(b"\\u") {
                        return self.unexpected(WANTED);
                    }
                    self.at += 2;
                    match self.hex()? {
                        second @ 0xDC00..0xE000 => 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00),
                        _ => return self.unexpected(WANTED),
                    }
                } else {
                    first
                };
                return char::from_u32(code).map_or_else(|| self.unexpected(WANTED), Ok);
            }
            _ => return self.unexpected(WANTED),
        };
        Ok(character)
    }

    /// Takes four hexadecimal digits.
    fn hex(&mut self) -> Result<u32, Unexpected> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let number = digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number {
            Some(number) => {
                self.at += 4;
                Ok(number)
            }
            None => self.unexpected("four hexadecimal digits"),
        }
    }
}
