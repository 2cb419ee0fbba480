//! Files accepted and refused: written by hand, by the format's own crate, and by our writer.

use std::time::{Duration, Instant};

use half::{bf16, f16};
use safetensors::tensor::{Dtype as Theirs, SafeTensors, TensorView, serialize};

use super::tensors::{Header, write_f32};
use super::*;

/// Two backbones: `shallow` has a [2, 3] and a [3], `deep` one [3] more.
fn wanted() -> [Wanted; 2] {
    let wanted = |backbone: &str, params: &[(&str, &[usize])]| Wanted {
        backbone: backbone.to_owned(),
        params: params.iter().map(|(key, shape)| ((*key).to_owned(), shape.to_vec())).collect(),
    };
    [
        wanted("shallow", &[("a.weight", &[2, 3]), ("a.bias", &[3])]),
        wanted("deep", &[("a.weight", &[2, 3]), ("a.bias", &[3]), ("b.bias", &[3])]),
    ]
}

const WEIGHT: [f32; 6] = [1.0, -2.0, 0.5, 3.0, 0.0, -0.25];
const BIAS: [f32; 3] = [4.0, 5.0, -6.0];

fn shallow_file() -> Vec<u8> {
    write_f32(&[("a.weight", &[2, 3], &WEIGHT), ("a.bias", &[3], &BIAS)])
}

/// A file with this header and so many bytes of zeros.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + data, 0);
    file
}

fn read(file: &[u8]) -> Result<Weights, WeightsError> {
    Weights::from_bytes(file, &wanted(), 0)
}

fn refusal(file: &[u8]) -> String {
    read(file).expect_err("refused").to_string()
}

/// The format's own crate writes tensors of one type, one's elements given as bytes.
fn theirs(dtype: Theirs, convert: impl Fn(f32) -> Vec<u8>) -> Vec<u8> {
    let bytes = |data: &[f32]| data.iter().flat_map(|value| convert(*value)).collect::<Vec<u8>>();
    let (weight, bias) = (bytes(&WEIGHT), bytes(&BIAS));
    let weight = TensorView::new(dtype, vec![2, 3], &weight).unwrap();
    let bias = TensorView::new(dtype, vec![3], &bias).unwrap();
    serialize([("a.weight", weight), ("a.bias", bias)], None).unwrap()
}

#[test]
fn reads_every_type_to_one_hash() {
    let ours = read(&shallow_file()).unwrap();
    assert_eq!(ours.tensors["a.weight"], Tensor { shape: vec![2, 3], data: WEIGHT.to_vec() });
    assert_eq!(ours.tensors["a.bias"], Tensor { shape: vec![3], data: BIAS.to_vec() });
    for file in [
        theirs(Theirs::F32, |value| value.to_le_bytes().to_vec()),
        theirs(Theirs::F16, |value| f16::from_f32(value).to_le_bytes().to_vec()),
        theirs(Theirs::BF16, |value| bf16::from_f32(value).to_le_bytes().to_vec()),
    ] {
        assert_eq!(read(&file).unwrap(), ours);
    }
}

#[test]
fn the_hash_tells_keys_shapes_and_values_apart() {
    let hash = |key: &str, shape: &[usize], data: &[f32]| {
        Weights::new([(key.to_owned(), Tensor { shape: shape.to_vec(), data: data.to_vec() })].into()).hash
    };
    let all = [hash("a", &[2], &[1.0, 2.0]), hash("b", &[2], &[1.0, 2.0]), hash("a", &[1, 2], &[1.0, 2.0]), hash("a", &[2], &[1.0, -2.0])];
    assert!((0..4).all(|i| (0..i).all(|j| all[i] != all[j])));
    assert_eq!(all[0], {
        let mut bytes = b"duodiff weights 1".to_vec();
        for number in [1_u64, 97, 1, 2] {
            bytes.extend(if number == 97 { vec![97] } else { number.to_le_bytes().to_vec() });
        }
        bytes.extend([1.0_f32, 2.0].iter().flat_map(|value| value.to_le_bytes()));
        *blake3::hash(&bytes).as_bytes()
    });
}

#[test]
fn the_formats_own_crate_reads_what_is_written() {
    let file = write_f32(&[("odd \"name\"\n\\", &[1, 2], &[1.5, -0.5]), ("scalar", &[], &[7.0])]);
    let parsed = SafeTensors::deserialize(&file).unwrap();
    assert_eq!(parsed.tensor("odd \"name\"\n\\").unwrap().shape(), [1, 2]);
    assert_eq!(parsed.tensor("scalar").unwrap().data(), 7.0_f32.to_le_bytes());
}

#[test]
fn matches_names_shapes_and_types_before_reading_data() {
    let deep = write_f32(&[("a.weight", &[2, 3], &WEIGHT), ("a.bias", &[3], &BIAS), ("b.bias", &[3], &BIAS)]);
    assert!(Weights::from_bytes(&deep, &wanted(), 1).is_ok());
    assert_eq!(refusal(&deep), "these are weights of `deep`, `shallow` was asked for -- swap the files of the two");
    let cases = [
        (
            write_f32(&[("a.weight", &[2, 3], &WEIGHT)]),
            "tensor `a.bias` [3] of `shallow` is missing -- `shallow` has 2 tensors, the file has 1",
        ),
        (
            write_f32(&[("net.a.weight", &[2, 3], &WEIGHT), ("net.a.bias", &[3], &BIAS)]),
            "tensor `a.bias` [3] of `shallow` is missing (and 1 more) -- the file has it under `net.`: take that prefix off the names",
        ),
        (
            write_f32(&[("a.weight", &[3, 2], &WEIGHT), ("a.bias", &[3], &BIAS)]),
            "tensor `a.weight` has shape [3, 2], `shallow` wants [2, 3] -- give weights trained with these sizes",
        ),
        (
            write_f32(&[("a.weight", &[2, 3], &WEIGHT), ("a.bias", &[3], &BIAS), ("c", &[3], &BIAS)]),
            "tensor `c` [3] is none of `shallow` -- give a file of this backbone alone",
        ),
        (
            theirs(Theirs::I32, |value| (value as i32).to_le_bytes().to_vec()),
            "tensor `a.bias` is I32, weights are F32, F16 or BF16 -- convert it",
        ),
        (
            write_f32(&[("a.weight", &[2, 3], &WEIGHT), ("a.bias", &[3], &[0.0, f32::NAN, 0.0])]),
            "tensor `a.bias` holds NaN at element 1 -- weights must be finite, take an earlier checkpoint",
        ),
        (
            write_f32(&[("a.weight", &[2, 3], &WEIGHT), ("a.bias", &[3], &[0.0, 0.0, f32::NEG_INFINITY])]),
            "tensor `a.bias` holds -inf at element 2 -- weights must be finite, take an earlier checkpoint",
        ),
    ];
    for (file, message) in cases {
        assert_eq!(refusal(&file), message);
    }
}

/// Each hostile file, with a piece of the message that refuses it.
fn hostile() -> Vec<(Vec<u8>, &'static str)> {
    let one = |fields: &str, data| file(&format!("{{\"a\":{{{fields}}}}}"), data);
    let long_name = format!("{{\"{}\":{{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}}}", "\\u001b".repeat(10_000));
    let many: Vec<String> = (0..5000).map(|i| format!("\"{i}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}")).collect();
    let twice = "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
    let two = |a: [u64; 2], b: [u64; 2], data| {
        let tensor = |name, offsets: [u64; 2]| format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{offsets:?}}}");
        file(&format!("{{{},{}}}", tensor("a", a), tensor("b", b)), data)
    };
    vec![
        (vec![], "ends after 0 bytes"),
        (vec![1, 2, 3], "ends after 3 bytes"),
        (u64::MAX.to_le_bytes().to_vec(), "at most 1048576"),
        ((1_u64 << 21).to_le_bytes().to_vec(), "at most 1048576"),
        (1000_u64.to_le_bytes().to_vec(), "its header needs 1008"),
        (b"PK\x03\x04aaaaaaaa".to_vec(), "PyTorch checkpoint"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF".to_vec(), "Python pickle"),
        (b"\x89HDF\r\n\x1a\n".to_vec(), "HDF5"),
        (b"\x93NUMPY\x01\x00".to_vec(), "NumPy"),
        (b"GGUF\x03\0\0\0".to_vec(), "GGUF"),
        (b"version https://git-lfs".to_vec(), "Git LFS pointer"),
        (file("", 0), "an opening brace"),
        (file("{", 0), "a string"),
        (file("{}x", 0), "the end of the header"),
        (file("[]", 0), "an opening brace"),
        (file("{\"a\"}", 0), "a colon"),
        (file("{\"a\":{}}", 0), "exactly one dtype"),
        (file("{\"a\":{\"dtype\":{}}}", 0), "a string"),
        (file("{\"\\ud800\":1}", 0), "an escape"),
        (file("{\"\\ud800\\u0041\":1}", 0), "an escape"),
        (file("{\"\\u12\":1}", 0), "four hexadecimal digits"),
        (file("{\"\\", 0), "an escape"),
        (file("{\"a\nb\":1}", 0), "without control characters"),
        (file(&"{\"a\":".repeat(100_000), 0), "exactly one dtype"),
        (file(&"[".repeat(1 << 20), 0), "an opening brace"),
        (file("{\"__metadata__\":{\"a\":1}}", 0), "a string"),
        (file("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0), "twice"),
        (file(&format!("{{{twice},{twice}}}"), 0), "`a` is there twice"),
        (file(&format!("{{{}}}", many.join(",")), 0), "more than 4096 tensors"),
        (file(&long_name, 4), "unknown type `F33`"),
        (one("\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]", 4), "exactly one dtype"),
        (one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"path\":\"/etc/passwd\"", 4), "exactly one dtype"),
        (one("\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]", 4), "impossible shape"),
        (one("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]", 0), "impossible shape"),
        (one("\"dtype\":\"F64\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]", 0), "impossible shape"),
        (one("\"dtype\":\"F32\",\"shape\":[18446744073709551616],\"data_offsets\":[0,4]", 4), "below 2^64"),
        (one("\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]", 4), "below 2^64"),
        (one("\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]", 4), "closing bracket"),
        (one("\"dtype\":\"F32\",\"shape\":[01],\"data_offsets\":[0,4]", 4), "below 2^64"),
        (one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]", 4), "impossible shape"),
        (one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4]", 4), "exactly one dtype"),
        (one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]", 4), "takes bytes 4..0"),
        (one("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]", 4), "takes bytes 0..4"),
        (one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]", 3), "3 bytes of tensor data"),
        (one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]", 5), "5 bytes of tensor data"),
        (one("\"dtype\":\"F32\",\"shape\":[268435456],\"data_offsets\":[0,1073741824]", 4), "4 bytes of tensor data"),
        (two([0, 4], [0, 4], 4), "takes bytes 0..4"),
        (two([0, 4], [2, 6], 6), "takes bytes 2..6"),
        (two([0, 4], [8, 12], 12), "takes bytes 8..12"),
        (two([4, 8], [8, 12], 12), "takes bytes 4..8"),
    ]
}

#[test]
fn refuses_hostile_files_at_once() {
    for (index, (file, piece)) in hostile().into_iter().enumerate() {
        let start = Instant::now();
        let error = read(&file).expect_err("refused");
        let elapsed = start.elapsed();
        let message = error.to_string();
        assert!(message.contains(piece), "case {index}: {message}");
        assert!(message.chars().count() < 400 && !message.contains(char::is_control), "case {index}: {message}");
        assert!(elapsed < Duration::from_millis(50), "case {index} took {elapsed:?}");
        assert!(!matches!(error, WeightsError::Read(_)), "case {index} was read beyond its end");
    }
}

#[test]
fn refuses_every_truncation_and_survives_every_edit() {
    let file = shallow_file();
    for length in 0..file.len() {
        assert!(read(&file[..length]).is_err(), "{length}");
    }
    let mut edited = file.clone();
    for at in 0..file.len() {
        for bit in 0..8 {
            edited[at] ^= 1 << bit;
            _ = read(&edited);
            edited[at] ^= 1 << bit;
        }
    }
}

#[test]
fn a_file_that_shrinks_is_a_read_error() {
    let file = shallow_file();
    let error = Weights::read(&file[..file.len() - 1], file.len() as u64, &wanted(), 0).expect_err("refused");
    assert!(matches!(error, WeightsError::Read(_)));
}

#[test]
fn accepts_white_space_escapes_and_metadata() {
    let text = " { \"__metadata__\" : { \"format\" : \"pt\" } ,\n \"\\u0061\\ud83d\\ude00\" : { \"shape\" : [ ] , \"data_offsets\" : [ 0 , 4 ] , \"dtype\" : \"F32\" } } ";
    let header = Header::parse(text.as_bytes(), 4).unwrap();
    assert_eq!(header.metadata["format"], "pt");
    assert_eq!((header.entries[0].name.as_str(), header.entries[0].elements()), ("a😀", 1));
}

#[test]
fn random_weights_are_functions_of_seed_backbone_and_key() {
    let [mut shallow, deep] = wanted();
    shallow.params.insert("big.weight".to_owned(), vec![64, 256]);
    shallow.params.insert("norm.weight".to_owned(), vec![4096]);
    let weights = Weights::random(7, &shallow);
    assert_eq!(weights, Weights::random(7, &shallow));
    assert_ne!(weights.hash, Weights::random(8, &shallow).hash);
    assert_ne!(weights.tensors["a.bias"], Weights::random(7, &deep).tensors["a.bias"]);
    let deviation = |key: &str, mean: f32| {
        let data = &weights.tensors[key].data;
        (data.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / data.len() as f32).sqrt()
    };
    assert!((deviation("big.weight", 0.0) - 1.0 / 16.0).abs() < 0.003);
    assert!((deviation("norm.weight", 1.0) - 0.1).abs() < 0.01);
}
