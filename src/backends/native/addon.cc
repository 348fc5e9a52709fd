#include "addon.h"

#include <chrono>
#include <cmath>
#include <exception>
#include <new>

namespace gemma {
namespace {

void check(napi_status status, const char* what) {
  if (status != napi_ok) throw Error{"ERR_BACKEND", std::string("native: cannot ") + what};
}

Addon& addon_of(napi_env env) {
  void* data = nullptr;
  check(napi_get_instance_data(env, &data), "reach the addon's state");
  if (data == nullptr) throw Error{"ERR_BACKEND", "native: the environment is closing"};
  return *static_cast<Addon*>(data);
}

}  // namespace

size_t multiply(size_t a, size_t b) {
  const size_t limit = size_t{1} << 52;
  if (b != 0 && a > limit / b) {
    throw Error{"ERR_OVERFLOW", "native: " + std::to_string(a) + " x " + std::to_string(b) + " elements are too many"};
  }
  return a * b;
}

Args::Args(napi_env env, napi_callback_info info) : env(env), addon(addon_of(env)) {
  check(napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr), "read the arguments");
  if (count_ > MAX_ARGUMENTS) count_ = MAX_ARGUMENTS;
}

napi_value Args::value() {
  if (next_ >= count_) throw Error{"ERR_RANGE", "native: argument " + std::to_string(next_) + " is missing"};
  return values_[next_++];
}

double Args::number() {
  double number = 0;
  if (napi_get_value_double(env, value(), &number) != napi_ok) {
    throw Error{"ERR_RANGE", "native: argument " + std::to_string(next_ - 1) + " must be a number"};
  }
  return number;
}

int64_t Args::integer(int64_t min, int64_t max) {
  const double number = this->number();
  if (number >= static_cast<double>(min) && number <= static_cast<double>(max) && std::trunc(number) == number) {
    return static_cast<int64_t>(number);
  }
  throw Error{"ERR_RANGE", "native: argument " + std::to_string(next_ - 1) + " must be an integer in " +
                               std::to_string(min) + ".." + std::to_string(max) + ", got " + std::to_string(number)};
}

bool Args::boolean() {
  bool flag = false;
  if (napi_get_value_bool(env, value(), &flag) != napi_ok) {
    throw Error{"ERR_RANGE", "native: argument " + std::to_string(next_ - 1) + " must be a boolean"};
  }
  return flag;
}

std::string Args::string() {
  const napi_value value = this->value();
  char buffer[256];
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, buffer, sizeof buffer, &length) != napi_ok) {
    throw Error{"ERR_RANGE", "native: argument " + std::to_string(next_ - 1) + " must be a string"};
  }
  return std::string(buffer, length);
}

Backend& Args::backend() {
  backend_ = addon.backends.find(static_cast<uint64_t>(integer(0, MAX_HANDLE)));
  if (backend_ == nullptr) throw Error{"ERR_DISPOSED", "native: the backend must be in use, got one that is disposed"};
  return *backend_;
}

void* Args::tensor(Dtype dtype, size_t elements) {
  const Tensor* const tensor = backend_->tensors.find(static_cast<uint64_t>(integer(0, MAX_HANDLE)));
  const size_t start = static_cast<size_t>(integer(0, MAX_HANDLE));
  if (tensor == nullptr) throw Error{"ERR_DISPOSED", "native: a tensor must be in use, got one that is freed"};
  if (tensor->dtype != dtype || start > tensor->elements || elements > tensor->elements - start) {
    throw Error{"ERR_SHAPE", "native: a tensor must hold " + std::to_string(elements) + " elements of its type from " +
                                 std::to_string(start) + " on, got " + std::to_string(tensor->elements)};
  }
  return tensor->memory.data() + start * 4;
}

Weight& Args::unpacked_weight() {
  Weight* const weight = backend_->weights.find(static_cast<uint64_t>(integer(0, MAX_HANDLE)));
  if (weight == nullptr) throw Error{"ERR_DISPOSED", "native: a weight must be in use, got one that is freed"};
  return *weight;
}

Weight& Args::weight() {
  Weight& weight = unpacked_weight();
  if (weight.job == nullptr) return weight;
  PackJob::State state{};
  do {
    state = weight.job->wait(std::chrono::seconds(1));
  } while (state == PackJob::State::waiting);
  if (state == PackJob::State::failed) {
    throw Error{"ERR_IO", "native: a weight must be packed before it is used, got one that could not be read in the background"};
  }
  weight.job.reset();
  return weight;
}

KvCache& Args::cache() {
  KvCache* const cache = backend_->caches.find(static_cast<uint64_t>(integer(0, MAX_HANDLE)));
  if (cache == nullptr) throw Error{"ERR_DISPOSED", "native: a cache must be in use, got one that is freed"};
  return *cache;
}

void* Args::typed_array(napi_typedarray_type type, size_t* length) {
  const napi_value value = this->value();
  bool is_typed_array = false;
  napi_typedarray_type actual{};
  void* data = nullptr;
  const bool ok = napi_is_typedarray(env, value, &is_typed_array) == napi_ok && is_typed_array &&
                  napi_get_typedarray_info(env, value, &actual, length, &data, nullptr, nullptr) == napi_ok &&
                  actual == type;
  if (!ok)
    throw Error{"ERR_RANGE", "native: argument " + std::to_string(next_ - 1) + " must be a typed array of its type"};
  return data;
}

napi_value Args::result(double number) const {
  napi_value value = nullptr;
  check(napi_create_double(env, number, &value), "create a number");
  return value;
}

napi_value Args::result(const std::string& text) const {
  napi_value value = nullptr;
  check(napi_create_string_utf8(env, text.data(), text.size(), &value), "create a string");
  return value;
}

napi_value guarded(napi_env env, napi_callback_info info, Function function) {
  try {
    Args args(env, info);
    return function(args);
  } catch (const Error& error) {
    napi_throw_error(env, error.code, error.message.c_str());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", "native: the system must have memory for this, got none");
  } catch (const std::exception& error) {
    napi_throw_error(env, "ERR_BACKEND", error.what());
  } catch (...) {
    napi_throw_error(env, "ERR_BACKEND", "native: failed for an unknown reason");
  }
  return nullptr;
}

namespace {

napi_value init(napi_env env, napi_value exports) {
  const auto destroy = [](napi_env, void* data, void*) { delete static_cast<Addon*>(data); };
  if (napi_set_instance_data(env, new Addon, destroy, nullptr) != napi_ok) return nullptr;
  for (const auto& methods :
       {memory_methods(), matmul_methods(), op_methods(), sample_methods(), choose_methods(), score_methods(), loss_methods(),
        backward_methods(), update_methods()}) {
    for (const Method& method : methods) {
      napi_value function = nullptr;
      if (napi_create_function(env, method.name, NAPI_AUTO_LENGTH, method.callback, nullptr, &function) != napi_ok)
        return nullptr;
      if (napi_set_named_property(env, exports, method.name, function) != napi_ok) return nullptr;
    }
  }
  return exports;
}

}  // namespace
}  // namespace gemma

NAPI_MODULE_INIT() { return gemma::init(env, exports); }
