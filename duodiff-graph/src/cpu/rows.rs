//! Windows of token rows in memory: where row r of image i lies.

use super::buffer::LINE;

/// Addresses at equal distances to prefetch. Any will do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    /// The first one.
    pub first: *const f32,
    /// Floats from one to the next.
    pub step: usize,
}

impl Hint {
    /// Address `index`.
    #[inline(always)]
    pub fn at(self, index: usize) -> *const f32 {
        self.first.wrapping_add(index * self.step)
    }

    /// The same without its first ones.
    #[inline(always)]
    pub fn from(self, index: usize) -> Self {
        Self { first: self.at(index), ..self }
    }
}

/// Rows to read: `rows` per image of `columns` floats each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// First float of row 0 of image 0.
    pub base: *const f32,
    /// Floats from one image to the next; 0 where all images share the value.
    pub image: usize,
    /// Floats from one row to the next; 0 where one row stands for all.
    pub stride: usize,
    /// Rows per image.
    pub rows: usize,
    /// Floats per row.
    pub columns: usize,
}

// SAFETY: a window is an address; whoever reads through it answers for the memory behind it.
unsafe impl Send for Rows {}
// SAFETY: as above.
unsafe impl Sync for Rows {}

impl Rows {
    /// Row `index`, counted over all images.
    ///
    /// # Safety
    /// The window covers memory that stays valid and is not written during `'a`, and `index` lies within it.
    #[inline(always)]
    pub unsafe fn row<'a>(&self, index: usize) -> &'a [f32] {
        let (image, row) = (index / self.rows, index % self.rows);
        // SAFETY: granted by the caller.
        unsafe { std::slice::from_raw_parts(self.base.add(image * self.image + row * self.stride), self.columns) }
    }

    /// The rows from `index` on, counted over all images, as if all of them were rows of one image.
    pub fn hint(&self, index: usize) -> Hint {
        let (image, row) = (index / self.rows, index % self.rows);
        Hint { first: self.base.wrapping_add(image * self.image + row * self.stride), step: self.stride }
    }

    /// Rows `first..first + count`, counted over all images.
    ///
    /// # Safety
    /// As for [`Self::row`].
    #[inline(always)]
    pub unsafe fn run<'a>(self, first: usize, count: usize) -> impl Iterator<Item = &'a [f32]> {
        // One division for all rows.
        let (mut image, mut row) = (first / self.rows, first % self.rows);
        (0..count).map(move |_| {
            // SAFETY: granted by the caller.
            let floats = unsafe { std::slice::from_raw_parts(self.base.add(image * self.image + row * self.stride), self.columns) };
            row += 1;
            if row == self.rows {
                (image, row) = (image + 1, 0);
            }
            floats
        })
    }

    /// The same row for each of `rows` rows per image, if there is only one.
    pub fn repeat(self, rows: usize) -> Self {
        if self.rows == 1 { Self { stride: 0, rows, ..self } } else { self }
    }

    /// Columns `start..start + columns` of the window.
    pub fn columns(self, start: usize, columns: usize) -> Self {
        Self { base: self.base.wrapping_add(start), columns, ..self }
    }
}

/// Rows to write, one after the other without gaps unless columns are split among tasks.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowsMut {
    /// First float.
    pub base: *mut f32,
    /// Floats from one row to the next.
    pub stride: usize,
    /// Rows of all images.
    pub total: usize,
}

// SAFETY: an address; whoever writes through it answers for the memory behind it.
unsafe impl Send for RowsMut {}
// SAFETY: as above.
unsafe impl Sync for RowsMut {}

impl RowsMut {
    /// The rows from `index` on, counted over all images, from column `column` on.
    pub fn hint(&self, index: usize, column: usize) -> Hint {
        Hint { first: self.base.wrapping_add(index * self.stride + column), step: self.stride }
    }

    /// `columns` floats from column `start` of row `index`, counted over all images.
    ///
    /// # Safety
    /// The memory is valid during `'a`, and nobody else reads or writes these floats.
    #[inline(always)]
    pub unsafe fn row<'a>(&self, index: usize, start: usize, columns: usize) -> &'a mut [f32] {
        debug_assert!(start + columns <= self.stride);
        // SAFETY: granted by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(index * self.stride + start), columns) }
    }

    /// Rows `first..first + count`, counted over all images, whole.
    ///
    /// # Safety
    /// As for [`Self::row`].
    #[inline(always)]
    pub unsafe fn run<'a>(&self, first: usize, count: usize) -> &'a mut [f32] {
        // SAFETY: granted by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(first * self.stride), count * self.stride) }
    }
}

/// Scratch memory of every worker, in one piece. A line of each is not for kernels: it says what a worker has packed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scratch {
    /// First float of worker 0.
    pub base: *mut f32,
    /// Floats of one worker.
    pub each: usize,
    /// Number of the launch.
    pub launch: u64,
}

// SAFETY: an address; each worker touches its own part only.
unsafe impl Send for Scratch {}
// SAFETY: as above.
unsafe impl Sync for Scratch {}

impl Scratch {
    /// The part of `worker`.
    ///
    /// # Safety
    /// The memory is valid during `'a`, has this worker's part, and no other use of it is alive.
    #[inline(always)]
    pub unsafe fn of<'a>(&self, worker: usize) -> &'a mut [f32] {
        // SAFETY: granted by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(worker * self.each), self.each - LINE) }
    }

    /// Whether the last call of this worker in this launch named the same rows, so that what it has packed of them is still there.
    ///
    /// # Safety
    /// As for [`Self::of`], which gives other memory.
    #[inline(always)]
    pub unsafe fn has_packed(&self, worker: usize, first: usize) -> bool {
        let name = [self.launch, first as u64];
        // SAFETY: granted by the caller; the last line of a part is aligned.
        let held = unsafe { &mut *self.base.add((worker + 1) * self.each - LINE).cast::<[u64; 2]>() };
        std::mem::replace(held, name) == name
    }

    /// Floats of a worker of which kernels use so many: whole lines, so that the parts of different workers are apart.
    pub fn round(floats: usize) -> usize {
        floats.next_multiple_of(LINE) + LINE
    }
}
