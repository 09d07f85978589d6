#include "module.h"

PyMethodDef conversion_methods[] = {{NULL, NULL, 0, NULL}};
