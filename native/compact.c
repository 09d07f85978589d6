#include "module.h"

PyMethodDef compact_methods[] = {{NULL, NULL, 0, NULL}};
