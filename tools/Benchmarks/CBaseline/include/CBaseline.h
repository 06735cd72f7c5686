// What C costs on the same library: the figures that ours are compared with.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Seconds that `code` takes from its first byte to its end, where it must arrive. With `esi` = 80410000h.
///
/// @param traces whether a hook on every instruction reads the instruction pointer and appends it.
double baseline_trace(const uint8_t *code, size_t size, int traces);

/// Seconds that `calls` calls of a routine with two arguments take: the hook at its address reads them from the stack, stores
/// one through the other, and writes the result; `ret 8` stands there. Negative if the engine failed.
double baseline_calls(int calls);
