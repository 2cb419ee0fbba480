//! `pair NAME { key: value, … }`: one reader per key.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, Path, Result, Token, Visibility, bracketed, parenthesized, token};

use super::arch::{Delimiter, group};
use super::{Parser, mark, name, shown, word};
use crate::ast::{ArchUse, Argument, BackboneUse, Field, PairDeclaration, PhaseUse, ProcessUse, Scalar, Spanned, TimeUse};
use crate::suggest;

/// The keys of a pair.
const KEYS: [&str; 11] =
    ["arch", "image", "process", "time", "predicts", "classes", "null_label", "guidance", "backbones", "phases", "history"];

impl Parser<'_> {
    pub(super) fn pair(&mut self, input: ParseStream, attributes: Vec<Attribute>, visibility: Visibility) -> Result<PairDeclaration> {
        let name = name(input, "the name of the pair")?;
        let mut pair = empty(attributes, visibility, name);
        let content = group(input, Delimiter::Braces, "{ key: value, … }")?;
        self.list(&content, |parser, input| {
            pair.misread |= !KEYS.iter().any(|key| input.fork().call(Ident::parse_any).is_ok_and(|word| word == key));
            parser.entry(input, &mut pair)?;
            pair.misread |= !input.is_empty() && !input.peek(Token![,]);
            Ok(())
        });
        Ok(pair)
    }

    fn entry(&mut self, input: ParseStream, pair: &mut PairDeclaration) -> Result<()> {
        let key = word(input, "a key")?;
        let known = KEYS.contains(&key.to_string().as_str());
        if !known {
            let mend = suggest::mend(&key.to_string(), KEYS);
            return Err(syn::Error::new(key.span(), format!("`{key}` is no key of a pair{mend}")));
        }
        if !input.peek(Token![:]) {
            pair.misread = true;
        }
        if input.peek(Token![=]) {
            return Err(input.error("a key of a pair is followed by a colon -- use `:`"));
        }
        mark::<Token![:]>(input, ":")?;
        match key.to_string().as_str() {
            "arch" => self.field(input, &key, &mut pair.arch, Self::arch_use),
            "image" => self.field(input, &key, &mut pair.image, Self::image),
            "process" => self.field(input, &key, &mut pair.process, Self::process),
            "time" => self.field(input, &key, &mut pair.time, Self::time),
            "predicts" => self.field(input, &key, &mut pair.predicts, |_, input| word(input, "what the network predicts")),
            "classes" => self.field(input, &key, &mut pair.classes, Self::integer),
            "null_label" => self.field(input, &key, &mut pair.null_label, Self::integer),
            "guidance" => self.field(input, &key, &mut pair.guidance, Self::number),
            "backbones" => self.field(input, &key, &mut pair.backbones, Self::backbones),
            "phases" => self.field(input, &key, &mut pair.phases, Self::phases),
            _ => self.field(input, &key, &mut pair.history, |_, input| word(input, "`carry` or `restart`")),
        }
    }

    fn field<T>(
        &mut self,
        input: ParseStream,
        key: &Ident,
        field: &mut Field<T>,
        parse: impl FnOnce(&mut Self, ParseStream) -> Result<T>,
    ) -> Result<()> {
        if !field.is_missing() {
            return Err(syn::Error::new(key.span(), format!("`{key}` is given twice -- remove one of the two")));
        }
        *field = Field::Broken;
        let before = self.errors.count();
        let value = parse(self, input)?;
        if self.errors.count() == before {
            *field = Field::Given { key: key.span(), value };
        }
        Ok(())
    }

    fn arch_use(&mut self, input: ParseStream) -> Result<ArchUse> {
        let span = input.span();
        let refuse = |_| syn::Error::new(span, "this is no path of an arch -- write e.g. duodiff::uvit(dim = 512)");
        let path = Path::parse_mod_style(input).map_err(refuse)?;
        let arguments = if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            self.list(&content, Self::argument)
        } else {
            Vec::new()
        };
        Ok(ArchUse { path, arguments })
    }

    fn argument(&mut self, input: ParseStream) -> Result<Argument> {
        let name = word(input, "a parameter of the arch")?;
        if input.peek(Token![:]) {
            return Err(input.error("a parameter is followed by an equals sign -- use `=`"));
        }
        mark::<Token![=]>(input, "=")?;
        Ok(Argument { name, value: self.scalar(input)? })
    }

    fn image(&mut self, input: ParseStream) -> Result<Vec<Spanned<i64>>> {
        let span = input.span();
        if !input.peek(token::Bracket) {
            return Err(syn::Error::new(span, format!("found {} -- write [channels, height, width]", shown(input))));
        }
        let content;
        bracketed!(content in input);
        let before = self.errors.count();
        let sizes = self.list(&content, Self::integer);
        if sizes.len() != 3 && self.errors.count() == before {
            return Err(syn::Error::new(span, format!("an image has 3 sizes, found {} -- write [channels, height, width]", sizes.len())));
        }
        Ok(sizes)
    }

    fn process(&mut self, input: ParseStream) -> Result<ProcessUse> {
        let rule = word(input, "a process, e.g. linear_betas(1e-4, 2e-2, 1000)")?;
        let content = group(input, Delimiter::Parentheses, "its numbers in parentheses")?;
        Ok(ProcessUse { rule, numbers: self.list(&content, Self::scalar) })
    }

    /// `t`, times a number, over a number, plus a number.
    fn time(&mut self, input: ParseStream) -> Result<TimeUse> {
        let mut time = TimeUse { times: 1.0, over: 1.0, plus: 0.0 };
        let mut scaled = false;
        if input.peek(syn::Lit) {
            time.times = self.nonzero(input)?;
            scaled = true;
            mark::<Token![*]>(input, "*")?;
        }
        let span = input.span();
        if !word(input, "`t`").is_ok_and(|word| word == "t") {
            return Err(syn::Error::new(span, "this is not the timestep -- write `t`, times a number, over a number, plus a number"));
        }
        if input.peek(Token![*]) && !scaled {
            input.parse::<Token![*]>()?;
            time.times = self.nonzero(input)?;
        }
        if input.peek(Token![/]) {
            input.parse::<Token![/]>()?;
            time.over = self.nonzero(input)?;
        }
        if input.peek(Token![+]) {
            input.parse::<Token![+]>()?;
            time.plus = self.number(input)?.value;
        } else if input.peek(Token![-]) {
            input.parse::<Token![-]>()?;
            time.plus = -self.number(input)?.value;
        }
        if !input.is_empty() && !input.peek(Token![,]) && !input.peek(Ident::peek_any) {
            return Err(input.error("time is no longer linear in this form -- write `t`, times a number, over a number, plus a number"));
        }
        Ok(time)
    }

    fn nonzero(&mut self, input: ParseStream) -> Result<f64> {
        let number = self.number(input)?;
        // What is emitted is float32, in which a tiny number is zero as well.
        if number.value as f32 == 0.0 {
            return Err(syn::Error::new(number.span, "the network would be fed no time -- use a number other than zero"));
        }
        Ok(number.value)
    }

    fn backbones(&mut self, input: ParseStream) -> Result<Vec<BackboneUse>> {
        let content = group(input, Delimiter::Braces, "{ name: parameter = value, … }")?;
        let mut backbones: Vec<BackboneUse> = Vec::new();
        self.list(&content, |parser, input| {
            let word = word(input, "a backbone or one of its settings")?;
            if input.parse::<Option<Token![:]>>()?.is_some() {
                let empty = BackboneUse {
                    name: word,
                    arguments: Vec::new(),
                    process: Field::Missing,
                    time: Field::Missing,
                    matching: Field::Missing,
                };
                backbones.push(empty);
                if input.is_empty() || input.peek(Token![,]) {
                    return Ok(());
                }
                let setting = super::word(input, "a setting")?;
                return parser.setting(input, setting, backbones.last_mut());
            }
            parser.setting(input, word, backbones.last_mut())
        });
        Ok(backbones)
    }

    fn setting(&mut self, input: ParseStream, name: Ident, backbone: Option<&mut BackboneUse>) -> Result<()> {
        let Some(backbone) = backbone else {
            return Err(syn::Error::new(
                name.span(),
                format!("`{name}` belongs to no backbone -- write the backbone's name and a colon first"),
            ));
        };
        mark::<Token![=]>(input, "=")?;
        match name.to_string().as_str() {
            "process" => self.field(input, &name, &mut backbone.process, Self::process),
            "time" => self.field(input, &name, &mut backbone.time, Self::time),
            "match" => self.field(input, &name, &mut backbone.matching, |_, input| word(input, "`snr`")),
            "image" | "predicts" | "classes" | "null_label" | "guidance" => {
                let message = format!("the backbones of a pair share `{name}` -- move it to the pair, or declare another pair");
                Err(syn::Error::new(name.span(), message))
            }
            _ => {
                backbone.arguments.push(Argument { name, value: self.scalar(input)? });
                Ok(())
            }
        }
    }

    fn phases(&mut self, input: ParseStream) -> Result<Vec<PhaseUse>> {
        let content = group(input, Delimiter::Braces, "{ backbone: first..=last, … }")?;
        Ok(self.list(&content, |parser, input| {
            let backbone = word(input, "the name of a backbone")?;
            mark::<Token![:]>(input, ":")?;
            let begin = input.span();
            let Ok(first) = parser.integer(input) else {
                return Err(syn::Error::new(begin, "a phase is a range of timesteps -- write first..=last, e.g. 999..=700"));
            };
            if input.is_empty() || input.peek(Token![,]) {
                return Err(syn::Error::new(begin, "a phase is a range of timesteps, no count -- write first..=last, e.g. 999..=700"));
            }
            if input.peek(Token![..]) && !input.peek(Token![..=]) {
                return Err(input.error("both ends of a phase are evaluated -- use `..=`"));
            }
            mark::<Token![..=]>(input, "..=")?;
            Ok(PhaseUse { backbone, first, last: parser.integer(input)? })
        }))
    }

    fn integer(&mut self, input: ParseStream) -> Result<Spanned<i64>> {
        let found = self.scalar(input)?;
        match found.value {
            Scalar::Integer(value) => Ok(Spanned { value, span: found.span }),
            other => Err(syn::Error::new(found.span, format!("found {other} where an integer belongs -- write one"))),
        }
    }

    fn number(&mut self, input: ParseStream) -> Result<Spanned<f64>> {
        let found = self.scalar(input)?;
        match found.value {
            Scalar::Integer(value) => Ok(Spanned { value: value as f64, span: found.span }),
            Scalar::Float(value) => Ok(Spanned { value, span: found.span }),
            Scalar::Bool(value) => Err(syn::Error::new(found.span, format!("found {value} where a number belongs -- write one"))),
        }
    }
}

fn empty(attributes: Vec<Attribute>, visibility: Visibility, name: Ident) -> PairDeclaration {
    PairDeclaration {
        attributes,
        visibility,
        name,
        arch: Field::Missing,
        image: Field::Missing,
        process: Field::Missing,
        time: Field::Missing,
        predicts: Field::Missing,
        classes: Field::Missing,
        null_label: Field::Missing,
        guidance: Field::Missing,
        backbones: Field::Missing,
        phases: Field::Missing,
        history: Field::Missing,
        misread: false,
    }
}
