namespace RenderFarm.Jobs.Persistence;

/// <summary>The store is there and won't have us: trying again helps nobody, other settings or rights do. The message says what.</summary>
public sealed class StoreRefusedException : Exception
{
    public StoreRefusedException(string message, Exception inner)
        : base(message, inner) { }

    public StoreRefusedException() { }

    public StoreRefusedException(string message)
        : base(message) { }
}
