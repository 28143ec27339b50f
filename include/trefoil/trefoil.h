// Everything of the public API.
#pragma once

#include "trefoil/change.h"
#include "trefoil/changeset.h"
#include "trefoil/database.h"
#include "trefoil/options.h"
#include "trefoil/query.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/snapshot.h"
#include "trefoil/transaction.h"
#include "trefoil/value.h"
#include "trefoil/version.h"
