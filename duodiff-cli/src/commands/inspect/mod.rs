//! `duodiff inspect X`: what a declared pair or a file holds. A file's first bytes decide what it is, not its name.

mod bundle;
#[cfg(feature = "compile")]
mod kernels;
#[cfg(feature = "compile")]
mod launches;
mod pair;
mod png;
#[cfg(feature = "compile")]
mod stage;
mod weights;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use duodiff::graph::spec::text::echo;

use crate::args::InspectArgs;
use crate::catalog::Catalog;
use crate::error::{Failure, Result};
use crate::source;

/// What the first bytes of a file say that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bundle,
    Weights,
    Png,
    Pytorch,
    Unknown,
}

/// Prints what X holds.
pub fn run(catalog: Catalog<'_>, args: &InspectArgs) -> Result {
    let path = Path::new(&args.what);
    match (catalog.get(&args.what), args.stage) {
        (Some(declared), None) => pair::summary(declared, args.json),
        #[cfg(feature = "compile")]
        (Some(declared), Some(stage)) => stage::print(declared, stage, args),
        #[cfg(not(feature = "compile"))]
        (Some(declared), Some(_)) => source::compile(declared).map(|_| ()),
        (None, _) if !path.exists() => Err(not_there(catalog, &args.what)),
        (None, Some(_)) => {
            Err(Failure::usage(format!("`{}` is a file; --stage wants a declared pair", echo(&args.what))).hint("duodiff pairs"))
        }
        (None, None) => file(catalog, path, args.json),
    }
}

fn file(catalog: Catalog<'_>, path: &Path, json: bool) -> Result {
    match kind(&head(path)?) {
        Kind::Bundle => bundle::summary(path, json),
        Kind::Weights => weights::summary(catalog, path, json),
        Kind::Png => png::summary(path, json),
        Kind::Pytorch => Err(Failure::input(path, "a PyTorch checkpoint -- save it as .safetensors (safetensors.torch.save_file)")),
        Kind::Unknown => Err(Failure::input(path, "neither .duo, .safetensors nor .png, going by its first bytes")),
    }
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
    read.map_err(|why| Failure::input(path, why))?;
    Ok(head)
}

fn kind(head: &[u8]) -> Kind {
    match head {
        [0x89, b'P', b'N', b'G', ..] => Kind::Png,
        [b'P', b'K', 3, 4, ..] | [0x80, 2, ..] => Kind::Pytorch,
        _ if head.starts_with(&duodiff::graph::bundle::MAGIC) => Kind::Bundle,
        // Eight bytes of header length, then JSON.
        [_, _, _, _, _, _, 0, 0, b'{', ..] => Kind::Weights,
        _ => Kind::Unknown,
    }
}

fn not_there(catalog: Catalog<'_>, what: &str) -> Failure {
    match catalog.find(what) {
        Err(failure) if !source::is_file_name(what) => failure,
        _ => Failure::input(Path::new(what), "no such file, and no pair of that name").hint("duodiff pairs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n"), Kind::Png);
        assert_eq!(kind(b"PK\x03\x04"), Kind::Pytorch);
        assert_eq!(kind(b"\x40\0\0\0\0\0\0\0{\"a\""), Kind::Weights);
        assert_eq!(kind(&duodiff::graph::bundle::MAGIC), Kind::Bundle);
        assert_eq!(kind(b""), Kind::Unknown);
        assert_eq!(kind(b"hello, world"), Kind::Unknown);
    }
}
