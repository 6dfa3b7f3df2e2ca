"""What people look at: pictures, pages, sources side by side. It reads run folders and trains nothing."""
