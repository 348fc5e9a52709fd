// The N-API surface: reading arguments, throwing errors.
//
// A native function is `napi_value name(Args& args)`: it reads its arguments in order, each one validated as it is
// read, calls kernels through the backend's pool, and returns nullptr for undefined. What it throws becomes a
// JavaScript error with one of our codes. No pointer reaches JavaScript, and nothing that JavaScript passes can
// make a function read or write outside its objects: sizes are compared here again, whatever TypeScript has checked.
// Arguments are numbers, strings and typed arrays alone: reading a property or an element could run JavaScript, and
// that could free what the call is about to use.
#pragma once

#include <node_api.h>

#include <memory>
#include <string>
#include <vector>

#include "backend.h"

namespace gemma {

/** The largest handle, and the largest start of a view: exact as a JavaScript number. */
constexpr int64_t MAX_HANDLE = (int64_t{1} << 52) - 1;

/** Becomes a JavaScript error with this code. */
struct Error {
  const char* code;  // one of ERROR_CODES in src/base/errors.ts
  std::string message;
};

/** The state of one Node environment (the main thread or a worker). */
struct Addon {
  Table<Backend> backends;
};

/** a · b. @throws ERR_OVERFLOW above 2^52 */
size_t multiply(size_t a, size_t b);

/** The arguments of one call, read from left to right. */
class Args {
 public:
  Args(napi_env env, napi_callback_info info);

  napi_env env;
  Addon& addon;

  double number();
  /** An integer in [min, max]. */
  int64_t integer(int64_t min, int64_t max);
  /** A dimension: 0 .. 2^31 - 1. */
  size_t size() { return static_cast<size_t>(integer(0, INT32_MAX)); }
  bool boolean();
  std::string string();
  napi_value value();

  /** Always the first argument. */
  Backend& backend();
  /** Two arguments, a tensor's handle and a start: at least `elements` elements from there on. */
  float* f32(size_t elements) { return static_cast<float*>(tensor(Dtype::f32, elements)); }
  int32_t* i32(size_t elements) { return static_cast<int32_t*>(tensor(Dtype::i32, elements)); }
  void* tensor(Dtype dtype, size_t elements);
  Weight& weight();
  /** One that may be packed from a file at the moment. */
  Weight& unpacked_weight();
  KvCache& cache();

  /** A typed array of this element type, valid during the call (JavaScript does not run meanwhile). */
  template <class T>
  struct Array {
    T* data;
    size_t length;
  };
  Array<double> f64_array() { return array<double>(napi_float64_array); }
  Array<float> f32_array() { return array<float>(napi_float32_array); }
  Array<int32_t> i32_array() { return array<int32_t>(napi_int32_array); }
  Array<uint32_t> u32_array() { return array<uint32_t>(napi_uint32_array); }
  Array<uint8_t> u8_array() { return array<uint8_t>(napi_uint8_array); }

  napi_value result(double number) const;
  napi_value result(const std::string& text) const;

 private:
  template <class T>
  Array<T> array(napi_typedarray_type type) {
    size_t length = 0;
    void* const data = typed_array(type, &length);
    return {static_cast<T*>(data), length};
  }
  void* typed_array(napi_typedarray_type type, size_t* length);

  static constexpr size_t MAX_ARGUMENTS = 32;
  napi_value values_[MAX_ARGUMENTS];
  size_t count_ = MAX_ARGUMENTS;
  size_t next_ = 0;
  Backend* backend_ = nullptr;
};

using Function = napi_value (*)(Args& args);

/** Calls a function and turns whatever it throws into a JavaScript error. */
napi_value guarded(napi_env env, napi_callback_info info, Function function);

/** A function under its JavaScript name. */
struct Method {
  const char* name;
  napi_callback callback;
};

template <Function function>
napi_value callback(napi_env env, napi_callback_info info) {
  return guarded(env, info, function);
}

#define GEMMA_METHOD(function) \
  Method { #function, callback<function> }

// Each addon-*.cc lists its functions; addon.cc exports them all.
std::vector<Method> memory_methods();  // addon-memory.cc: backends, tensors, weights, caches
std::vector<Method> matmul_methods();  // addon-matmul.cc: matmul, embed
std::vector<Method> op_methods();      // addon-ops.cc: the other operations
std::vector<Method> sample_methods();  // addon-sample.cc: sample
std::vector<Method> choose_methods();  // addon-choose.cc: chooseIds
std::vector<Method> score_methods();     // addon-score.cc: logProbs, scoreIds
std::vector<Method> loss_methods();      // addon-loss.cc: crossEntropy
std::vector<Method> backward_methods();  // addon-backward.cc: gradients
std::vector<Method> update_methods();    // addon-update.cc: the optimizer, dropout, weights packed anew

}  // namespace gemma
