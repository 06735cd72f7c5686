#define _GNU_SOURCE
#include "CBaseline.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unicorn/unicorn.h>

enum { code_base = 0x80400000u, code_size = 1 << 20, trap_base = 0xf0000000u };

// Processor time, so that what else the machine does counts less.
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

typedef struct {
  uc_engine *engine;
  uint8_t *memory;
} machine;

static machine open_machine(void) {
  machine m;
  uc_open(UC_ARCH_X86, UC_MODE_32, &m.engine);
  m.memory = mmap(0, code_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  uc_mem_map_ptr(m.engine, code_base, code_size, UC_PROT_ALL, m.memory);
  uc_mem_map(m.engine, trap_base, 0x1000, UC_PROT_ALL);
  uint32_t esp = 0x80480000, esi = 0x80410000;
  uc_reg_write(m.engine, UC_X86_REG_ESP, &esp);
  uc_reg_write(m.engine, UC_X86_REG_ESI, &esi);
  return m;
}

static double run(machine m, uint64_t from, uint64_t until) {
  double start = now();
  uc_err error = uc_emu_start(m.engine, from, until, 0, 0);
  double taken = now() - start;
  uc_close(m.engine);
  munmap(m.memory, code_size);
  return error ? -1 : taken;
}

// The log is reused when it is full: the most favourable a tracer can have it.
typedef struct {
  uint32_t *next, *end, *start;
} instruction_log;

static void trace(uc_engine *engine, uint64_t address, uint32_t size, void *context) {
  instruction_log *log = context;
  uint32_t eip;
  uc_reg_read(engine, UC_X86_REG_EIP, &eip);
  *log->next++ = eip;
  if (log->next == log->end) log->next = log->start;
}

double baseline_trace(const uint8_t *code, size_t size, int traces) {
  machine m = open_machine();
  memcpy(m.memory, code, size);
  const size_t words = 1 << 20;
  uint32_t *start = malloc(words * sizeof *start);
  memset(start, 1, words * sizeof *start);
  instruction_log log = {start, start + words, start};
  uc_hook hook;
  if (traces) uc_hook_add(m.engine, &hook, UC_HOOK_CODE, (void *)trace, &log, (uint64_t)1, (uint64_t)0);
  double taken = run(m, code_base, code_base + size);
  free(start);
  return taken;
}

static void serve(uc_engine *engine, uint64_t address, uint32_t size, void *context) {
  uint32_t esp, words[3], eax;
  uc_reg_read(engine, UC_X86_REG_ESP, &esp);
  uc_mem_read(engine, esp, words, sizeof words);
  eax = words[1] + words[2];
  uc_mem_write(engine, words[2] + 0x10, &words[1], sizeof words[1]);
  uc_reg_write(engine, UC_X86_REG_EAX, &eax);
}

double baseline_calls(int calls) {
  machine m = open_machine();
  // mov ecx,calls; L: push 80410000h; push 80420020h; call trap; dec ecx; jne L
  uint8_t code[] = {0xb9, 0, 0, 0, 0, 0x68, 0, 0, 0x41, 0x80, 0x68, 0x20, 0, 0x42, 0x80, 0xe8, 0, 0, 0, 0, 0x49, 0x75, 0xee};
  uint32_t displacement = trap_base - (code_base + 20);
  memcpy(code + 1, &calls, 4);
  memcpy(code + 16, &displacement, 4);
  memcpy(m.memory, code, sizeof code);
  uint8_t ret[] = {0xc2, 8, 0};
  uc_mem_write(m.engine, trap_base, ret, sizeof ret);
  uc_hook hook;
  uc_hook_add(m.engine, &hook, UC_HOOK_CODE, (void *)serve, NULL, (uint64_t)trap_base, (uint64_t)trap_base + 0xfff);
  return run(m, code_base, code_base + sizeof code);
}
