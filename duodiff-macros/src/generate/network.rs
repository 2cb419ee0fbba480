//! Networks as typed calls of the build API: a small function per instance, one per backbone.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use crate::check::{Argument, Callee, Instance, Library, Network, Shape, Step, Variable};

/// Functions that build the instances; a backbone calls them once per block with the block's key prefix.
pub fn instances(library: &Library) -> TokenStream {
    (0..library.instances.len()).map(|index| instance(library, index)).collect()
}

fn instance(library: &Library, index: usize) -> TokenStream {
    let Instance { arguments, steps, results, .. } = &library.instances[index];
    let name = instance_name(library, index);
    let inputs = arguments.iter().map(|(variable, shape)| {
        let (variable, shape) = (variable_name(*variable), shape_type(*shape));
        quote!(, #variable: &#shape)
    });
    let types: Vec<TokenStream> = results.iter().map(|(_, shape)| shape_type(*shape)).collect();
    let values = returned(arguments, results);
    let steps = steps.iter().map(|one| step(library, one, Keys::Relative));
    let (output, value) = match (types.as_slice(), values.as_slice()) {
        ([only], [value]) => (quote!(#only), quote!(#value)),
        _ => (quote!((#(#types),*)), quote!((#(#values),*))),
    };
    quote! {
        fn #name(builder: &mut Builder, prefix: &str #(#inputs)*) -> #output {
            #(#steps)*
            #value
        }
    }
}

/// Arguments and repeated results are copied, everything else is moved out.
fn returned(arguments: &[(Variable, Shape)], results: &[(Variable, Shape)]) -> Vec<TokenStream> {
    let owned = |index: usize, variable: Variable| {
        let is_argument = arguments.iter().any(|(argument, _)| *argument == variable);
        let is_used_later = results[index + 1..].iter().any(|(later, _)| *later == variable);
        !is_argument && !is_used_later
    };
    let value = |(index, (variable, _)): (usize, &(Variable, Shape))| {
        let name = variable_name(*variable);
        if owned(index, *variable) { quote!(#name) } else { quote!(#name.clone()) }
    };
    results.iter().enumerate().map(value).collect()
}

/// The function of a backbone.
pub fn backbone(library: &Library, network: &Network) -> TokenStream {
    let name = backbone_name(network);
    let text = &network.name;
    let steps = network.steps.iter().map(|one| step(library, one, Keys::Whole));
    let output = variable_name(network.output.0);
    quote! {
        fn #name() -> Built {
            let mut owner = Builder::new(#text);
            let builder = &mut owner;
            #(#steps)*
            owner.finish(&#output)
        }
    }
}

/// Backbones and instances never share a name: instances are numbered.
pub fn backbone_name(network: &Network) -> Ident {
    format_ident!("backbone_{}", network.name.trim_start_matches("r#"))
}

/// Whether keys stand alone, or behind the prefix of the function.
#[derive(Clone, Copy)]
enum Keys {
    Whole,
    Relative,
}

fn step(library: &Library, step: &Step, keys: Keys) -> TokenStream {
    let arguments = step.arguments.iter().map(|one| argument(one, keys));
    let sizes = step.sizes.iter().map(|size| Literal::usize_unsuffixed(*size));
    let call = match step.callee {
        Callee::Method(name) => {
            let name = format_ident!("{name}");
            quote!(builder.#name::<#(#sizes),*>(#(#arguments),*))
        }
        Callee::Operator(name) => {
            let name = format_ident!("{name}");
            quote!(build::#name::<#(#sizes),*>(#(#arguments),*))
        }
        Callee::Instance(id) => {
            let name = instance_name(library, id.0);
            quote!(#name(#(#arguments),*))
        }
    };
    let results: Vec<Ident> = step.results.iter().map(|(variable, _)| variable_name(*variable)).collect();
    match results.as_slice() {
        [only] => quote!(let #only = #call;),
        many => quote!(let (#(#many),*) = #call;),
    }
}

fn argument(argument: &Argument, keys: Keys) -> TokenStream {
    match argument {
        Argument::Builder => quote!(builder),
        Argument::Tensor(variable) => {
            // A function's own arguments are references already; a second one is taken off by the compiler.
            let name = variable_name(*variable);
            quote!(&#name)
        }
        Argument::Key(text) | Argument::Prefix(text) => match keys {
            Keys::Whole => quote!(#text),
            Keys::Relative if text.is_empty() => quote!(prefix),
            Keys::Relative => {
                let pattern = format!("{{prefix}}{text}");
                quote!(&::std::format!(#pattern))
            }
        },
        Argument::Float(bits) => {
            let number = f32::from_bits(*bits);
            let literal = Literal::f32_unsuffixed(number.abs());
            if number.is_sign_negative() { quote!(-#literal) } else { quote!(#literal) }
        }
        Argument::Integer(value) => {
            let literal = Literal::usize_unsuffixed(*value);
            quote!(#literal)
        }
        Argument::Shape(sizes) => {
            let sizes = sizes.iter().map(|size| Literal::usize_unsuffixed(*size));
            quote!(&[#(#sizes),*])
        }
        Argument::Bias(true) => quote!(Bias::With),
        Argument::Bias(false) => quote!(Bias::Without),
    }
}

fn instance_name(library: &Library, index: usize) -> Ident {
    let name = &library.instances[index].name;
    format_ident!("{}_{index}", name.trim_start_matches("r#"))
}

fn variable_name(variable: Variable) -> Ident {
    format_ident!("v{}", variable.0)
}

fn shape_type(shape: Shape) -> TokenStream {
    let literals = |sizes: &[usize]| -> Vec<Literal> { sizes.iter().map(|size| Literal::usize_unsuffixed(*size)).collect() };
    match shape {
        Shape::Tokens { rows, columns } => {
            let sizes = literals(&[rows, columns]);
            quote!(Tokens<#(#sizes),*>)
        }
        Shape::Image { channels, height, width } => {
            let sizes = literals(&[channels, height, width]);
            quote!(Image<#(#sizes),*>)
        }
    }
}
