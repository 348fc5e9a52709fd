// The paged cache of one layer: keys and values have a buffer each, [page, head, word of a row, PAGE_ROWS], so that lanes
// that are positions read whole cache lines. int8 has its scales [page, head, PAGE_ROWS] behind them.

const PAGE_ROWS = 16u;

/// Words of one head's row.
fn rowWords() -> u32 {
  return (p.headDim * CACHE_BITS + 31u) / 32u;
}

/// Where a row of a head begins, its words being PAGE_ROWS apart.
fn rowOf(page: u32, head: u32, position: u32) -> u32 {
  return (page * p.kvHeads + head) * rowWords() * PAGE_ROWS + position % PAGE_ROWS;
}

fn scaleOf(page: u32, head: u32, position: u32) -> u32 {
  return p.pages * p.kvHeads * rowWords() * PAGE_ROWS + (page * p.kvHeads + head) * PAGE_ROWS + position % PAGE_ROWS;
}

/// The page that holds a position, -1 where there is none.
fn pageOf(sequence: i32, position: i32) -> i32 {
  let column = u32(position) / PAGE_ROWS;
  if (sequence < 0 || u32(sequence) >= p.sequences || position < 0 || column >= p.tableWidth) {
    return -1;
  }
  let page = loadInt(p.pageTable + u32(sequence) * p.tableWidth + column);
  return select(-1, page, page >= 0 && u32(page) < p.pages);
}
