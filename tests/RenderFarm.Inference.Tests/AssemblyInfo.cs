// live-tensor counts are a figure of the whole process
[assembly: CollectionBehavior(DisableTestParallelization = true)]
