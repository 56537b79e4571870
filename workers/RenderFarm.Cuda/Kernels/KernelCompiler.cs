using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RenderFarm.Cuda.Native;

namespace RenderFarm.Cuda.Kernels;

/// <summary>
/// Compiles CUDA C++ for the card at hand and keeps the result on disk, by source, constants, card and compiler: the
/// process lives for one job, so the 0.1 s a kernel must not be paid every time.
/// </summary>
/// <param name="cacheDirectory">Null keeps nothing.</param>
public sealed class KernelCompiler(string? cacheDirectory)
{
    /// <summary>Compiles one source with its compile-time constants.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="architectureSpecific">With instructions that belong to this generation of cards alone.</param>
    public KernelModule Compile(string name, string source, IReadOnlyDictionary<string, int> constants, bool architectureSpecific = false)
    {
        var target = CompileTarget.OfCard();
        string[] options =
        [
            target.Option(architectureSpecific),
            "--std=c++17",
            .. constants
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => string.Create(CultureInfo.InvariantCulture, $"-D{pair.Key}={pair.Value}")),
        ];
        Nvrtc.Check(Nvrtc.Version(out var compilerMajor, out var compilerMinor), "nvrtcVersion");
        var key = Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    string.Join('\n', [.. options, $"{compilerMajor}.{compilerMinor}", $"{CudaDevice.DriverVersion}", source])
                )
            )
        );
        var path = cacheDirectory is null ? null : Path.Combine(cacheDirectory, $"{name}-{key[..32]}.{(target.IsPtx ? "ptx" : "cubin")}");
        if (path is not null && File.Exists(path))
        {
            return new KernelModule(name, File.ReadAllBytes(path));
        }

        var image = Compile(name, source, options, target.IsPtx);
        if (path is not null)
        {
            Keep(path, image);
        }

        return new KernelModule(name, image);
    }

    private static unsafe byte[] Compile(string name, string source, string[] options, bool toPtx)
    {
        Nvrtc.Check(Nvrtc.Create(out var program, source, name, 0, 0, 0), "nvrtcCreateProgram");
        try
        {
            if (Nvrtc.Compile(program, options.Length, options) != 0)
            {
                throw new CudaException(0, $"compiling {name}", Log(program));
            }

            nuint size;
            var sized = toPtx ? Nvrtc.PtxSize(program, out size) : Nvrtc.CubinSize(program, out size);
            Nvrtc.Check(sized, toPtx ? "nvrtcGetPTXSize" : "nvrtcGetCUBINSize");
            var image = new byte[size];
            fixed (byte* pointer = image)
            {
                Nvrtc.Check(toPtx ? Nvrtc.Ptx(program, pointer) : Nvrtc.Cubin(program, pointer), toPtx ? "nvrtcGetPTX" : "nvrtcGetCUBIN");
            }

            return image;
        }
        finally
        {
            _ = Nvrtc.Destroy(ref program);
        }
    }

    private static unsafe string Log(nint program)
    {
        if (Nvrtc.LogSize(program, out var size) != 0 || size == 0)
        {
            return "no log";
        }

        var text = new byte[size];
        fixed (byte* pointer = text)
        {
            return Nvrtc.Log(program, pointer) == 0 ? Encoding.UTF8.GetString(text).TrimEnd('\0') : "no log";
        }
    }

    /// <summary>Written aside and renamed, since several renderers may start at once.</summary>
    private void Keep(string path, byte[] image)
    {
        Directory.CreateDirectory(cacheDirectory!);
        var aside = $"{path}.{Environment.ProcessId}";
        File.WriteAllBytes(aside, image);
        File.Move(aside, path, overwrite: true);
    }
}
