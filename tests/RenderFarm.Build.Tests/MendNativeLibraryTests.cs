using System.Runtime.InteropServices;
using RenderFarm.Build.Tasks;
using RenderFarm.Build.Tasks.Elf;

namespace RenderFarm.Build.Tests;

public sealed class MendNativeLibraryTests
{
    [Fact]
    public async Task Execute_OtherLibraryLacksTheVersion_LoadsAllTheSame()
    {
        using var library = await SharedLibrary.CompileAsync();
        await library.CompileProviderAsync("PROVIDER_8");
        Assert.False(NativeLibrary.TryLoad(library.Caller, out _));
        var log = new BuildLog();

        Assert.True(Mend(library, log).Execute());

        Assert.Empty(log.Messages);
        Assert.True(NativeLibrary.TryLoad(library.File("mended.so"), out var mended));
        NativeLibrary.Free(mended);
    }

    [Fact]
    public async Task Execute_IdleFunction_ReturnsAndDoesNothing()
    {
        using var library = await SharedLibrary.CompileAsync();
        Assert.Equal(1, DisposedAfterOneCall(library.Caller));

        Assert.True(Mend(library, new BuildLog()).Execute());

        Assert.Equal(0, DisposedAfterOneCall(library.File("mended.so")));
    }

    [Fact]
    public async Task Execute_Always_LeavesTheSourceAlone()
    {
        using var library = await SharedLibrary.CompileAsync();
        var before = await File.ReadAllBytesAsync(library.Caller, TestContext.Current.CancellationToken);

        Mend(library, new BuildLog()).Execute();

        Assert.Equal(before, await File.ReadAllBytesAsync(library.Caller, TestContext.Current.CancellationToken));
        Assert.True(Need(library.File("mended.so")).IsWeak);
        Assert.False(Need(library.Caller).IsWeak);
    }

    [Fact]
    public async Task Execute_VersionNotAskedForAnyMore_WarnsThatTheMendCanGo()
    {
        using var library = await SharedLibrary.CompileAsync();
        var log = new BuildLog();
        var task = Mend(library, log);
        task.WeakVersion = "PROVIDER_10";

        Assert.True(task.Execute());

        Assert.Contains("doesn't ask for PROVIDER_10 any more", Assert.Single(log.Messages), StringComparison.Ordinal);
        Assert.True(File.Exists(task.Destination));
    }

    [Fact]
    public async Task Execute_FunctionIsGone_FailsAndWritesNothing()
    {
        using var library = await SharedLibrary.CompileAsync();
        var log = new BuildLog();
        var task = Mend(library, log);
        task.IdleFunction = "caller_gone";

        Assert.False(task.Execute());

        Assert.Contains("0 functions named caller_gone instead of one", Assert.Single(log.Messages), StringComparison.Ordinal);
        Assert.False(File.Exists(task.Destination));
    }

    [Fact]
    public async Task Execute_LibraryForAnotherMachine_NamesFileAndMachine()
    {
        using var library = await SharedLibrary.CompileAsync();
        var bytes = await File.ReadAllBytesAsync(library.Caller, TestContext.Current.CancellationToken);
        bytes[18] = 183;
        await File.WriteAllBytesAsync(library.Caller, bytes, TestContext.Current.CancellationToken);
        var log = new BuildLog();

        Assert.False(Mend(library, log).Execute());

        var message = Assert.Single(log.Messages);
        Assert.Contains(library.Caller, message, StringComparison.Ordinal);
        Assert.Contains("AArch64", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_NoSource_NamesIt()
    {
        using var library = await SharedLibrary.CompileAsync();
        var log = new BuildLog();
        var task = Mend(library, log);
        task.Source = library.File("missing.so");

        Assert.False(task.Execute());

        Assert.Contains(task.Source, Assert.Single(log.Messages), StringComparison.Ordinal);
    }

    private static MendNativeLibrary Mend(SharedLibrary library, BuildLog log) => new()
    {
        BuildEngine = log,
        Source = library.Caller,
        Destination = library.File("mended.so"),
        WeakVersion = SharedLibrary.Version,
        IdleFunction = "caller_dispose",
    };

    private static VersionNeed Need(string path) =>
        VersionNeed.Of(ElfFile.Parse(File.ReadAllBytes(path))).Single(need => need.Version == SharedLibrary.Version);

    private static unsafe int DisposedAfterOneCall(string path)
    {
        var library = NativeLibrary.Load(path);
        try
        {
            ((delegate* unmanaged<void>)NativeLibrary.GetExport(library, "caller_dispose"))();
            return ((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "caller_disposed"))();
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }
}
