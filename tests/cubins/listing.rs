//! What the toolkit's tools print, as far as the tests ask.

use std::collections::BTreeMap;

/// What a kernel needs, as cuobjdump tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Registers of a thread.
    pub registers: u32,
    /// Bytes of a thread's stack: spilled registers, and arrays whose index is not known beforehand.
    pub stack: u32,
    /// Bytes of static shared memory.
    pub shared: u32,
}

/// What a kernel takes, as PTX declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Bytes of each parameter.
    pub sizes: Vec<u32>,
    /// Threads of a block.
    pub threads: u32,
}

impl Resources {
    /// Of every kernel of a listing: a line ` Function NAME:` and one of `WHAT:NUMBER`s.
    pub fn of(listing: &str) -> BTreeMap<String, Self> {
        let lines: Vec<_> = listing.lines().map(str::trim).collect();
        let name = |line: &str| line.strip_prefix("Function ")?.strip_suffix(':').map(str::to_owned);
        lines.windows(2).filter_map(|pair| Some((name(pair[0])?, Self::read(pair[1])))).collect()
    }

    fn read(line: &str) -> Self {
        let number = |what: &str| {
            let found = line.split_whitespace().find_map(|word| word.strip_prefix(what)?.strip_prefix(':'));
            found.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {what} in {line}"))
        };
        // Arrays lie on the stack, or in local memory beside it.
        Self { registers: number("REG"), stack: number("STACK") + number("LOCAL"), shared: number("SHARED") }
    }
}

impl Parameters {
    /// Of every kernel of a PTX file: `.entry NAME(.param …, .param …)` and `.maxntid N`.
    pub fn of(ptx: &str) -> BTreeMap<String, Self> {
        let entries = ptx.split(".entry ").skip(1);
        entries
            .map(|entry| Self::read(entry).unwrap_or_else(|| panic!("no kernel: {}", entry.lines().next().unwrap_or_default())))
            .collect()
    }

    fn read(entry: &str) -> Option<(String, Self)> {
        let (name, rest) = entry.split_once('(')?;
        let (parameters, rest) = rest.split_once(')')?;
        let sizes: Option<_> = parameters.split(',').map(Self::size).collect();
        let block = rest.split_once(".maxntid")?.1.split(['\n', ',']).next()?;
        Some((name.trim().to_owned(), Self { sizes: sizes?, threads: block.trim().parse().ok()? }))
    }

    /// `.param .u32 x`, or `.param .align 8 .b8 x[32]`.
    fn size(parameter: &str) -> Option<u32> {
        if let Some((_, length)) = parameter.split_once('[') {
            return length.trim().strip_suffix(']')?.parse().ok();
        }
        let word = parameter.split_whitespace().nth(1)?;
        word.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().ok().map(|bits| bits / 8)
    }
}

/// The kernels of a disassembly: name and instructions.
pub fn functions(sass: &str) -> Vec<(&str, &str)> {
    let sections = sass.split("\t.section\t").skip(1);
    let function = |section: &'_ str| section.starts_with(".text.");
    sections.filter(|section| function(section)).map(|section| (&section[6..section.find([',', '\n']).unwrap_or(6)], section)).collect()
}

#[test]
fn listings_are_read() {
    let listing = "\nResource usage:\n Common:\n  GLOBAL:0\n Function f:\n  REG:48 STACK:8 SHARED:16 LOCAL:0 CONSTANT[0]:496 TEXTURE:0\n";
    assert_eq!(Resources::of(listing), [("f".to_owned(), Resources { registers: 48, stack: 8, shared: 16 })].into());
    let ptx = ".visible .entry f(\n\t.param .align 8 .b8 f_param_0[32],\n\t.param .u64 f_param_1,\n\t.param .f32 f_param_2\n)\n.maxntid 256, 1, 1\n{\n}";
    assert_eq!(Parameters::of(ptx), [("f".to_owned(), Parameters { sizes: vec![32, 8, 4], threads: 256 })].into());
    let sass = "\t.section\t.text.f,\"ax\",@progbits\n EXIT ;\n\t.section\t.nv.info\n\t.section\t.text.g,\"ax\"\n HMMA ;\n";
    let names: Vec<_> = functions(sass).into_iter().map(|(name, code)| (name, code.contains("HMMA"))).collect();
    assert_eq!(names, [("f", false), ("g", true)]);
}
