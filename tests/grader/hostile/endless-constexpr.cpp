// EXPECT FAIL
// WITHIN 60
// SAYS does not compile
#include "exercise.hpp"

template <int N>
struct Deep {
  static constexpr int value = Deep<N + 1>::value + Deep<N + 2>::value;
};

int enter_uts(const char*, const char*) {
  return Deep<0>::value;
}
