namespace RenderFarm.Worker.Configuration;

/// <summary>Settings under <c>Keys:</c>.</summary>
internal sealed class KeysOptions
{
    public const string Section = "Keys";

    /// <summary>File with the farm's first keys; the worker reads <c>worker_key</c> when <c>Worker:ApiKey</c> is not set.</summary>
    public string BootstrapFile { get; set; } = Path.Combine(FarmHome.Directory, "keys.json");
}

/// <summary>Settings under <c>Models:</c>.</summary>
internal sealed class ModelsOptions
{
    public const string Section = "Models";

    /// <summary>A folder per model, each with a <c>model.json</c>.</summary>
    public string Directory { get; set; } = Path.Combine(FarmHome.Directory, "models");
}

/// <summary>Settings under <c>Torch:</c>.</summary>
internal sealed class TorchOptions
{
    public const string Section = "Torch";

    /// <summary>Folder of an existing libtorch that renderers load; empty: the one they were built with.</summary>
    public string? LibraryPath { get; set; }
}

/// <summary>Settings under <c>Metrics:</c>.</summary>
internal sealed class MetricsOptions
{
    public const string Section = "Metrics";

    /// <summary>Where <c>/metrics</c> and <c>/health</c> are served. Default: a free port on loopback.</summary>
    public string Url { get; set; } = "http://127.0.0.1:0";
}

/// <summary>Settings under <c>Bus:</c>.</summary>
internal sealed class BusOptions
{
    public const string Section = "Bus";

    /// <summary><c>none</c> (default) or <c>rabbitmq</c>. Without a broker the long poll alone brings work.</summary>
    public string Kind { get; set; } = "none";

    /// <summary><c>amqp://user:password@host:port/vhost</c>.</summary>
    public string? Uri { get; set; }
}
