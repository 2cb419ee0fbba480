// out = residual + f(a · weightᵀ + bias) in bfloat16 on the tensor cores of sm_90a, sums in float. f is `DUODIFF_ACTIVATION`.
//
// A block has one warp that brings slices of k (one of its threads tells the copy engine to) and warpgroups that multiply them: two,
// or one for tiles of 64 rows. They meet at two barriers per stage: `full` when a slice has come, `empty` when it has been multiplied.
// The grid has any number of blocks, which take tiles in turn, columns fastest: a block that stays has the next tile's slices on their
// way while it finishes one, and a product of 512 columns of k is over before a fresh block's first slice has come.
//
//   tile       warpgroups                  stages   shared bytes
//   128 × 256  64 rows each of one tile    4        217152
//   128 × 128  a tile each, in turn        6        217200
//   64 × 64    one                         6        108640
//
// Shared memory: 128 · (rows + columns) + 16 bytes per stage, 10240 per warpgroup to exchange sums in, and 16 where tiles are in turn.
// Of 232448 bytes that is all there is room for. What a multiprocessor reads of it per clock, 128 bytes, bounds the shapes: an
// instruction of 64 × 256 × 16 takes 128 clocks and 10 KiB of operands, one of 64 × 128 × 16 takes 64 clocks and 6 KiB, and copies
// write 48 and 64 bytes per clock beside it. So the wide tile multiplies fastest; but its tensor cores rest while it is finished. In turn,
// one warpgroup finishes its tile while the other one multiplies: for short k and dear activations.
//
// Registers: 128 sums a thread. With one warp to bring slices a thread may have 224 of the 65536, so warpgroups need not trade them.
//
// Each sum adds 16 columns of k at a time in ascending order, those of a0 first, then those of a1, each padded with zeros to a slice:
// its bits are a function of the columns of both, whatever the tile.
//
// A source is a tensor of `columns` columns, copied `rows of the tile` × 64 at a time: of m rows, or, if `rows` is not 0, of images of so
// many rows (see copy_rows). The weight is one of k0 + k1 columns and n rows, copied `columns of the tile` × 64 at a time. All of
// them in the pattern of 128 bytes, with zeros outside. A second source without columns is not read.
#include "exchange.cuh"
#include "slices.cuh"
#include "tensor.cuh"
#include "types.cuh"
#include "warp.cuh"
#include "wgmma.cuh"

/// Columns that a warp finishes at a time, and bytes of k that one instruction multiplies.
constexpr u32 PIECE = 32;
constexpr u32 DEPTH_BYTES = 32;
/// Rows that one instruction multiplies, and warps that do.
constexpr u32 GROUP_ROWS = 64;
constexpr u32 GROUP_WARPS = WARPGROUP / WARP;

/// A stage, and the parity of the phases that its barriers are in.
template <u32 STAGES>
struct Turn {
    u32 stage = 0, parity = 0;

    /// So many slices on.
    __device__ void skip(u32 slices) {
        const u32 at = stage + slices;
        stage = at % STAGES;
        parity ^= at / STAGES % 2;
    }

    __device__ void next() {
        stage++;
        if (stage == STAGES) {
            stage = 0;
            parity ^= 1;
        }
    }
};

/// A source of the product.
struct Source {
    const TensorMap& map;
    u32 columns, rows;
};

/// What all threads know of a product.
struct Product {
    Source sources[2];
    const TensorMap& weight;
    const Epilogue& epilogue;
    u32 m, n;
};

/// `WARPGROUPS` share a tile or, if `IN_TURN`, have tiles of their own.
template <u32 ROWS, u32 COLUMNS, u32 STAGES, u32 WARPGROUPS, bool IN_TURN>
class Tiles {
    static constexpr u32 STAGE_BYTES = (ROWS + COLUMNS) * SLICE_BYTES;
    static constexpr u32 EXCHANGE = STAGES * STAGE_BYTES;
    static constexpr u32 BARRIERS = EXCHANGE + WARPGROUPS * GROUP_WARPS * Exchange<PIECE>::BYTES;
    /// Warpgroups that multiply a slice, and how often 64 rows each of them multiplies.
    static constexpr u32 SHARERS = IN_TURN ? 1 : WARPGROUPS, TIMES = ROWS / GROUP_ROWS / SHARERS;
    static_assert(TIMES * SHARERS * GROUP_ROWS == ROWS && COLUMNS <= 256, "tiles are of whole groups, columns are one instruction");

    const Product& product;
    const u32 across, tiles, slices, memory;

    __device__ u32 full(u32 stage) const {
        return memory + BARRIERS + 8 * stage;
    }

    __device__ u32 empty(u32 stage) const {
        return full(STAGES + stage);
    }

    /// Where a warpgroup waits for its turn to multiply.
    __device__ u32 turn_of(u32 group) const {
        return full(2 * STAGES + group);
    }

public:
    static constexpr u32 THREADS = WARPGROUPS * WARPGROUP + WARP;

    __device__ explicit Tiles(const Product& product)
        : product(product), across(ceiling(product.n, COLUMNS)), tiles(ceiling(product.m, ROWS) * across),
          slices(ceiling(product.sources[0].columns, SLICE) + ceiling(product.sources[1].columns, SLICE)),
          memory(shared_address(shared_memory())) {
        if (threadIdx.x == 0) {
            for (u32 stage = 0; stage < STAGES; stage++) {
                make_barrier(full(stage), 1);
                make_barrier(empty(stage), SHARERS * GROUP_WARPS);
            }
            for (u32 group = 0; IN_TURN && group < WARPGROUPS; group++) {
                make_barrier(turn_of(group), GROUP_WARPS);
            }
            fence_async();
        }
        __syncthreads();
    }

    /// Brings the slices of this block's tiles, one after the other; by one thread.
    __device__ void bring() const {
        prefetch(product.sources[0].map);
        prefetch(product.weight);
        Turn<STAGES> turn;
        for (u32 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            const u32 row = tile / across * ROWS, first = tile % across * COLUMNS;
            u32 before = 0;
#pragma unroll
            for (u32 i = 0; i < 2; i++) {
                const Source& source = product.sources[i];
                const u32 image = source.rows == 0 ? 0 : row / source.rows, own = row - image * source.rows;
                for (u32 column = 0; column < source.columns; column += SLICE) {
                    const u32 stage = memory + turn.stage * STAGE_BYTES, barrier = full(turn.stage);
                    await_phase(empty(turn.stage), turn.parity ^ 1);
                    arrive_expecting(barrier, STAGE_BYTES);
                    if (source.rows == 0) {
                        copy_box(stage, source.map, column, row, barrier);
                    } else {
                        copy_rows(stage, source.map, column, own, image, barrier);
                    }
                    copy_box(stage + ROWS * SLICE_BYTES, product.weight, before + column, first, barrier);
                    turn.next();
                }
                before += source.columns;
            }
        }
    }

    /// Multiplies the slices of its tiles, or of its rows of each tile, and finishes them.
    template <Activation F>
    __device__ void multiply(u32 group) const {
        Turn<STAGES> turn;
        u32 parity = group ^ 1, tile = blockIdx.x;
        if (IN_TURN) {
            tile += group * gridDim.x;
            turn.skip(group * slices);
        }
        for (; tile < tiles; tile += (IN_TURN ? WARPGROUPS : 1) * gridDim.x) {
            float sums[TIMES][COLUMNS / 8][4] = {};
            if (IN_TURN) {
                await_phase(turn_of(group), parity);
                parity ^= 1;
            }
            add_slices(sums, IN_TURN ? 0 : group * GROUP_ROWS, turn);
            const u32 last = turn.stage;
            turn.next();
            if (IN_TURN) {
                pass(turn_of(group ^ 1));
                turn.skip(slices);
            }
            await_products<0>();
            pass(empty(last));
            const u32 row = tile / across * ROWS + (IN_TURN ? 0 : group * GROUP_ROWS);
#pragma unroll
            for (u32 i = 0; i < TIMES; i++) {
                settle(sums[i]);
                finish<F>(sums[i], row + i * GROUP_ROWS, tile % across * COLUMNS);
            }
        }
    }

private:
    /// Adds all slices of a tile, rows `first`.. of it. All but the last are awaited and given back; that is where `turn` stands then.
    __device__ void add_slices(float (&sums)[TIMES][COLUMNS / 8][4], u32 first, Turn<STAGES>& turn) const {
        u32 before = 0;
        for (u32 slice = 0; slice < slices; slice++) {
            if (slice != 0) {
                before = turn.stage;
                turn.next();
            }
            await_phase(full(turn.stage), turn.parity);
            const u32 stage = memory + turn.stage * STAGE_BYTES;
            const u64 a = name_rows(stage + first * SLICE_BYTES), b = name_rows(stage + ROWS * SLICE_BYTES);
            start_products();
#pragma unroll
            for (u32 depth = 0; depth < SLICE_BYTES / DEPTH_BYTES; depth++) {
                const u64 step = depth * (DEPTH_BYTES / 16);
#pragma unroll
                for (u32 i = 0; i < TIMES; i++) {
                    multiply_group(sums[i], a + i * (GROUP_ROWS * SLICE_BYTES / 16) + step, b + step);
                }
            }
            commit_products();
            if (slice != 0) {
                await_products<1>();
                pass(empty(before));
            }
        }
    }

    /// A warp arrives.
    __device__ void pass(u32 barrier) const {
        if (lane_of_warp() == 0) {
            arrive(barrier);
        }
    }

    /// Finishes 64 rows from `row` on, columns `column`...
    template <Activation F>
    __device__ void finish(const float (&sums)[COLUMNS / 8][4], u32 row, u32 column) const {
        const u32 warp = threadIdx.x / WARP;
        unsigned char* const exchange = shared_memory() + EXCHANGE + warp * Exchange<PIECE>::BYTES;
#pragma unroll
        for (u32 piece = 0; piece < COLUMNS; piece += PIECE) {
            const Exchange<PIECE> own(exchange, column + piece, product.epilogue);
            own.template finish<F>(sums + piece / 8, row + warp % GROUP_WARPS * 16, product.m);
        }
    }
};

template <class Tiles, Activation F>
__device__ inline void linear_wgmma(const Product& product) {
    const Tiles tiles(product);
    const u32 group = threadIdx.x / WARPGROUP;
    if (threadIdx.x + WARP < Tiles::THREADS) {
        tiles.template multiply<F>(group);
    } else if (lane_of_warp() == 0) {
        tiles.bring();
    }
}

#define LINEAR(rows, columns, stages, warpgroups, in_turn, activation)                                                                      \
    using Tiles##rows##x##columns = Tiles<rows, columns, stages, warpgroups, in_turn>;                                                      \
    ENTRY(Tiles##rows##x##columns::THREADS, linear_wgmma_bf16_##rows##x##columns##_##activation, const __grid_constant__ TensorMap a0,      \
          const __grid_constant__ TensorMap a1, const __grid_constant__ TensorMap weight, const float* bias, Window residual, T* out, u32 m, \
          u32 n, u32 k0, u32 k1, u32 rows0, u32 rows1, const Step* step) {                                                                  \
        const Epilogue epilogue = {bias, residual, out, n, step};                                                                           \
        linear_wgmma<Tiles##rows##x##columns, Activation::activation>({{{a0, k0, rows0}, {a1, k1, rows1}}, weight, epilogue, m, n});        \
    }

// In between, so that the name of the macro becomes what it stands for before it is joined.
#define LINEAR_OF(rows, columns, stages, warpgroups, in_turn, activation) LINEAR(rows, columns, stages, warpgroups, in_turn, activation)
#define TILE(rows, columns, stages, warpgroups, in_turn) LINEAR_OF(rows, columns, stages, warpgroups, in_turn, DUODIFF_ACTIVATION)

TILE(128, 256, 4, 2, false)
TILE(128, 128, 6, 2, true)
TILE(64, 64, 6, 1, false)
