#include "module.h"

PyMethodDef mask_methods[] = {{NULL, NULL, 0, NULL}};
