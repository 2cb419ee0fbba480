//! Philox4x32-10: from a counter and a key to 128 random bits (Salmon et al. 2011).

/// Multipliers of a round.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];

/// What a round adds to the key (Weyl sequences of the golden ratio and of √3 − 1).
const BUMPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Rounds.
const ROUNDS: u32 = 10;

/// One block.
#[inline(always)]
pub fn block(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let [high0, low0] = product(MULTIPLIERS[0], counter[0]);
        let [high1, low1] = product(MULTIPLIERS[1], counter[2]);
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0];
        key = [key[0].wrapping_add(BUMPS[0]), key[1].wrapping_add(BUMPS[1])];
    }
    counter
}

/// `[high, low]` words of a·b.
#[inline(always)]
fn product(a: u32, b: u32) -> [u32; 2] {
    let wide = u64::from(a) * u64::from(b);
    [(wide >> 32) as u32, wide as u32]
}
