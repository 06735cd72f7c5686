// process-monitor without FltStartFiltering: whether ports need that is not documented.
#define WITHOUT_FILTERING
#include "process-monitor.c"
