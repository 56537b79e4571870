namespace RenderFarm.Jobs;

/// <summary>How far an event has come on its way to a webhook.</summary>
public enum DeliveryState
{
    /// <summary>To be tried, or tried again.</summary>
    Pending,
    Delivered,

    /// <summary>Given up: tried for a day, or refused for good.</summary>
    Failed,
}
