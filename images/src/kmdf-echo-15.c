// Built for KMDF 1.15: the driver holds a pointer to the framework's own function table.
#define KMDF_MINOR 15
#include "kmdf-echo.h"
