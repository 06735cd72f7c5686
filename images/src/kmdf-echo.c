// Built for KMDF 1.9: the framework fills in a function table in the driver's own image.
#define KMDF_MINOR 9
#include "kmdf-echo.h"
