// Compiled by NVRTC with no include path: everything these kernels need is here.
// Compile-time constants: DIM (row length), THREADS (threads of a block).

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define FP8_MAX 448.0f

#ifndef INT8
#define INT8 0
#endif

// What rows are rounded to: int8 on any card, e4m3 where the units know it.
#if INT8
#define CODE_MAX 127.0f
#define HAS_CODE 1
#else
#define CODE_MAX FP8_MAX
#define HAS_CODE (__CUDA_ARCH__ >= 890)
#endif

// bf16 is the upper half of a float; two of them ride in one 32-bit word, the first in the low half.
__device__ __forceinline__ float bf16_low(u32 pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float bf16_high(u32 pair) { return __uint_as_float(pair & 0xffff0000u); }

__device__ __forceinline__ u32 pack_bf16(float low, float high)
{
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

#if __CUDA_ARCH__ >= 890
// Four floats to four e4m3 bytes, the first in the lowest byte; rounds to nearest even and saturates at +-448.
__device__ __forceinline__ u32 pack_e4m3(float a, float b, float c, float d)
{
    u16 low, high;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(low) : "f"(b), "f"(a));
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(high) : "f"(d), "f"(c));
    return (u32)low | ((u32)high << 16);
}
#endif

#if HAS_CODE
// Four floats to four bytes of the code, the first in the lowest byte, to nearest even. int8 is kept to +-127 by the caller's scale.
__device__ __forceinline__ u32 pack_code(float a, float b, float c, float d)
{
#if INT8
    return ((u32)__float2int_rn(a) & 0xffu) | (((u32)__float2int_rn(b) & 0xffu) << 8)
        | (((u32)__float2int_rn(c) & 0xffu) << 16) | ((u32)__float2int_rn(d) << 24);
#else
    return pack_e4m3(a, b, c, d);
#endif
}
#endif

// One e4m3 byte to float by arithmetic, for cards whose units do not know the format. 0x7f and 0xff are NaN.
__device__ __forceinline__ float e4m3_to_float(u32 byte)
{
    u32 magnitude = byte & 0x7fu;
    // Exponent and mantissa move to a float's places; multiplying by 2^120 mends the bias and the subnormals in one go.
    float value = __uint_as_float(magnitude << 20) * 1.329227995784916e36f;
    value = magnitude == 0x7fu ? __uint_as_float(0x7fffffffu) : value;
    return (byte & 0x80u) ? -value : value;
}

__device__ __forceinline__ float code_to_float(u32 byte)
{
#if INT8
    return (float)(signed char)(u8)byte;
#else
    return e4m3_to_float(byte);
#endif
}

struct Sum { __device__ static float of(float a, float b) { return a + b; } };
struct Max { __device__ static float of(float a, float b) { return fmaxf(a, b); } };

// Combines one value of every thread of the block; every thread gets the result. Order is fixed, so results repeat to the bit.
template <typename Op> __device__ __forceinline__ float block_reduce(float value)
{
    __shared__ float partial[32];
    const int warps = (THREADS + 31) / 32;
    #pragma unroll
    for (int offset = 16; offset > 0; offset >>= 1)
        value = Op::of(value, __shfl_xor_sync(0xffffffffu, value, offset));
    __syncthreads();                      // the previous reduction's readers are done
    if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = value;
    __syncthreads();
    value = partial[0];
    for (int i = 1; i < warps; i++) value = Op::of(value, partial[i]);
    return value;
}

__device__ __forceinline__ float gelu_tanh(float x)
{
    const float k = 0.7978845608028654f;
    float inner = k * (x + 0.044715f * x * x * x);
    return 0.5f * x * (1.0f + tanhf(inner));
}
