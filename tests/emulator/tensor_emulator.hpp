// The functions of kernels/tensor.cuh on the host. Tensor maps are those of tests/fake-driver. Bytes come when nobody can go on
// without them, or at some time before: until then their places hold NaN, and whoever names them to a product ends the test.
#pragma once

#include "barrier_emulator.hpp"

namespace emulator __attribute__((visibility("hidden"))) {

/// `Layout` of tests/fake-driver/src/tensor.rs.
struct TensorLayout {
    static constexpr u64 MAGIC = 0x50414D2D524F5354;
    enum Mode : u32 { Tiled, Rows };

    u64 address, magic;
    u32 mode, rank, element, swizzle;
    u32 box[5], reserved;
    u64 sizes[5], strides[4];

    static TensorLayout of(const TensorMap& map, Mode mode, u32 rank, Site site) {
        static_assert(sizeof(TensorLayout) == sizeof(TensorMap), "one in place of the other");
        TensorLayout layout;
        memcpy(&layout, &map, sizeof layout);
        if (layout.magic != MAGIC || layout.mode != mode || layout.rank != rank) {
            block().fail("%s:%d: no tensor map of %u axes for this kind of copy", site.file, site.line, rank);
        }
        return layout;
    }

    /// Where the row of a place lies; null if it is outside.
    const unsigned char* row(u32 row, u32 image) const {
        if (row >= sizes[1] || (rank == 3 && image >= sizes[2])) {
            return nullptr;
        }
        return reinterpret_cast<const unsigned char*>(address) + row * strides[0] + (rank == 3 ? image * strides[1] : 0);
    }
};

/// A copy of `box` columns and rows, row after row; behind the last row of an image comes the next image's first.
inline void start_copy(u32 to, const TensorLayout& map, u32 column, u32 row, u32 image, u32 barrier, Site site) {
    const u32 pitch = map.box[0] * map.element, rows = map.box[1];
    // The copy engine wants multiples of 128; the pattern repeats after 1024.
    if (to % 1024 != 0 || to + pitch * rows > block().shared_bytes || map.swizzle != 128 || pitch != 128) {
        block().fail("%s:%d: a copy of %u rows of %u bytes to shared address %u of %zu bytes", site.file, site.line, rows, pitch, to,
                     block().shared_bytes);
    }
    for (u32 at = 0; at < pitch * rows; at += 16) {
        block().unseen.insert(shared_memory() + to + at);
    }
    memset(shared_memory() + to, 0xFF, pitch * rows);
    auto deliver = [=] {
        u32 own = row, from_image = image;
        for (u32 r = 0; r < rows; r++) {
            const unsigned char* from = map.row(own, from_image);
            for (u32 c = 0; c < map.box[0]; c++) {
                const u32 plain = to + r * pitch + c * map.element;
                unsigned char* place = shared_memory() + (plain ^ (plain >> 7 & 7) << 4);
                const bool is_inside = from != nullptr && column + c < map.sizes[0];
                is_inside ? memcpy(place, from + u64(column + c) * map.element, map.element) : memset(place, 0, map.element);
            }
            own++;
            if (map.mode == TensorLayout::Rows && own == map.sizes[1]) {
                own = 0;
                from_image++;
            }
        }
        for (u32 at = 0; at < pitch * rows; at += 16) {
            block().unseen.erase(shared_memory() + to + at);
        }
    };
    block().start_delivery(barrier, pitch * rows, deliver, site);
}

}  // namespace emulator

inline void prefetch(const TensorMap&) {}

inline void copy_box(u32 to, const TensorMap& map, u32 column, u32 row, u32 barrier, EMULATOR_SITE) {
    emulator::Site site = {file, line};
    emulator::start_copy(to, emulator::TensorLayout::of(map, emulator::TensorLayout::Tiled, 2, site), column, row, 0, barrier, site);
}

inline void copy_rows(u32 to, const TensorMap& map, u32 column, u32 row, u32 image, u32 barrier, EMULATOR_SITE) {
    emulator::Site site = {file, line};
    emulator::start_copy(to, emulator::TensorLayout::of(map, emulator::TensorLayout::Rows, 3, site), column, row, image, barrier, site);
}
