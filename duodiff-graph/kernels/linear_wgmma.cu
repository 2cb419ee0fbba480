// out = residual + f(a · weightᵀ + bias) in bfloat16 on the tensor cores of sm_90a, sums in float. f is `DUODIFF_ACTIVATION`.
//
// Tiles of 128 × 256, 128 × 128 or 64 × 64 (rows × columns). A block has a warpgroup (128 threads) that brings slices of k and one
// for each 64 rows of a tile that multiplies them: 384, 384 or 256 threads. They meet at two barriers per stage: `full` when a slice
// has come, `empty` when it has been multiplied. The grid has any number of blocks, which take tiles in turn, columns fastest: the next tile's
// slices come while this one is finished. Shared memory: 128 · (rows + columns) + 16 bytes per stage, 4, 5 or 6 of them, and
// 10240 per 64 rows. Each sum adds 16 columns of k at a time in ascending order, so its bits are a function of k, whatever the
// tile. Wanted: k and the columns of a0 are multiples of 8; rows of a0, a1 and the weight start at multiples of 16 bytes.
#include "exchange.cuh"
#include "slices.cuh"
#include "types.cuh"
#include "warp.cuh"
#include "wgmma.cuh"

/// Columns that a warp finishes at a time, and bytes of k that one instruction multiplies.
constexpr u32 PIECE = 32;
constexpr u32 DEPTH_BYTES = 32;

/// A stage, and the parity of the phases that its barriers are in.
struct Turn {
    u32 stage = 0, parity = 0;

    template <u32 STAGES>
    __device__ void next() {
        stage++;
        if (stage == STAGES) {
            stage = 0;
            parity ^= 1;
        }
    }
};

/// What all threads know of a product.
struct Product {
    const Window& a0;
    const Window& a1;
    const T* weight;
    const Epilogue& epilogue;
    u32 m, n, k;
    const Step* step;
};

template <u32 ROWS, u32 COLUMNS, u32 STAGES>
class Tiles {
    static constexpr u32 GROUPS = ROWS / 64;
    static constexpr u32 STAGE_BYTES = (ROWS + COLUMNS) * SLICE_BYTES;
    static constexpr u32 EXCHANGE = STAGES * STAGE_BYTES;
    static constexpr u32 BARRIERS = EXCHANGE + GROUPS * (WARPGROUP / WARP) * Exchange<PIECE>::BYTES;
    /// Slices that are under way before the oldest is awaited. Two fewer than stages: a slice is given back after the next one
    /// has been started on, so that one must have been announced.
    static constexpr u32 AHEAD = STAGES - 2;

    const Product& product;
    const u32 across, tiles, slices, memory;

    __device__ u32 full(u32 stage) const {
        return memory + BARRIERS + 8 * stage;
    }

    __device__ u32 empty(u32 stage) const {
        return full(STAGES + stage);
    }

public:
    static constexpr u32 THREADS = (1 + GROUPS) * WARPGROUP;

    __device__ explicit Tiles(const Product& product)
        : product(product), across(ceiling(product.n, COLUMNS)), tiles(ceiling(product.m, ROWS) * across),
          slices(ceiling(product.k, SLICE)), memory(shared_address(shared_memory())) {
        if (threadIdx.x == 0) {
            for (u32 stage = 0; stage < STAGES; stage++) {
                // An arrival from each warp.
                make_barrier(full(stage), WARPGROUP / WARP);
                make_barrier(empty(stage), GROUPS * (WARPGROUP / WARP));
            }
        }
        __syncthreads();
    }

    /// Brings the slices of this block's tiles, one after the other.
    __device__ void bring(u32 thread) const {
        OwnRows<ROWS, WARPGROUP> rows;
        Bringer<ROWS, COLUMNS, WARPGROUP> bringer(product.weight, product.a0.columns, product.n, product.k, thread);
        const u32 all = blockIdx.x < tiles ? ceiling(tiles - blockIdx.x, gridDim.x) * slices : 0;
        u32 tile = blockIdx.x, slice = 0;
        Turn turn, announced;
        for (u32 index = 0; index < all + AHEAD; index++) {
            if (index < all) {
                if (slice == 0) {
                    rows.fill(product.a0, product.a1, tile / across * ROWS, product.m, thread, product.step);
                    bringer.start(tile % across * COLUMNS);
                    tile += gridDim.x;
                }
                slice = slice + 1 == slices ? 0 : slice + 1;
                await_phase(empty(turn.stage), turn.parity ^ 1);
                bringer.bring(rows, memory + turn.stage * STAGE_BYTES);
                turn.next<STAGES>();
            }
            commit_copies();
            if (index >= AHEAD) {
                await_copies<AHEAD>();
                fence_for_products();
                __syncwarp();
                if (lane_of_warp() == 0) {
                    arrive(full(announced.stage));
                }
                announced.next<STAGES>();
            }
        }
    }

    /// Multiplies the slices and finishes rows 64 · `group`.. of each tile.
    template <Activation F>
    __device__ void multiply(u32 group) const {
        const u32 warp = threadIdx.x / WARP - WARPGROUP / WARP;
        unsigned char* const exchange = shared_memory() + EXCHANGE + warp * Exchange<PIECE>::BYTES;
        Turn turn;
        for (u32 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            float sums[COLUMNS / 8][4] = {};
            u32 before = 0;
            for (u32 slice = 0; slice < slices; slice++) {
                await_phase(full(turn.stage), turn.parity);
                const u32 stage = memory + turn.stage * STAGE_BYTES;
                const u64 a = name_rows(stage + group * 64 * SLICE_BYTES), b = name_rows(stage + ROWS * SLICE_BYTES);
                start_products();
#pragma unroll
                for (u32 depth = 0; depth < SLICE_BYTES / DEPTH_BYTES; depth++) {
                    multiply_group(sums, a + depth * (DEPTH_BYTES / 16), b + depth * (DEPTH_BYTES / 16));
                }
                commit_products();
                if (slice != 0) {
                    await_products<1>(sums);
                    give_back(before);
                }
                before = turn.stage;
                turn.next<STAGES>();
            }
            await_products<0>(sums);
            give_back(before);
            const u32 row = tile / across * ROWS + warp * 16, column = tile % across * COLUMNS;
#pragma unroll
            for (u32 piece = 0; piece < COLUMNS; piece += PIECE) {
                Exchange<PIECE>(exchange, column + piece, product.epilogue).template finish<F>(sums + piece / 8, row, product.m);
            }
        }
    }

private:
    __device__ void give_back(u32 stage) const {
        if (lane_of_warp() == 0) {
            arrive(empty(stage));
        }
    }
};

template <class Tiles, Activation F>
__device__ inline void linear_wgmma(const Product& product) {
    const Tiles tiles(product);
    if (threadIdx.x < WARPGROUP) {
        tiles.bring(threadIdx.x);
    } else {
        tiles.template multiply<F>(threadIdx.x / WARPGROUP - 1);
    }
}

#define LINEAR(rows, columns, stages, activation)                                                                                           \
    using Tiles##rows##x##columns = Tiles<rows, columns, stages>;                                                                           \
    ENTRY(Tiles##rows##x##columns::THREADS, linear_wgmma_bf16_##rows##x##columns##_##activation, Window a0, Window a1, const T* weight,     \
          const float* bias, Window residual, T* out, u32 m, u32 n, u32 k, const Step* step) {                                              \
        const Epilogue epilogue = {bias, residual, out, n, step};                                                                           \
        linear_wgmma<Tiles##rows##x##columns, Activation::activation>({a0, a1, weight, epilogue, m, n, k, step});                           \
    }

// In between, so that the name of the macro becomes what it stands for before it is joined.
#define LINEAR_OF(rows, columns, stages, activation) LINEAR(rows, columns, stages, activation)
#define TILE(rows, columns, stages) LINEAR_OF(rows, columns, stages, DUODIFF_ACTIVATION)

TILE(128, 256, 4)
TILE(128, 128, 5)
TILE(64, 64, 6)
