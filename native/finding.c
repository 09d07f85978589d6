#include "module.h"

PyMethodDef finding_methods[] = {{NULL, NULL, 0, NULL}};
