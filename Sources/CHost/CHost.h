// What glibc offers behind _GNU_SOURCE, which Swift's module of it does not show.
#pragma once

int memfd_create(const char *name, unsigned int flags);

/// MFD_CLOEXEC of linux/memfd.h.
static const unsigned int memfd_close_on_exec = 1;
