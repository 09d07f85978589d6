#include "module.h"

PyMethodDef layout_methods[] = {{NULL, NULL, 0, NULL}};
